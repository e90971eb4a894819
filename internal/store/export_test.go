package store

import "context"

// Exec runs a statement on the writer's connection, as maintenance would.
func (s *Store) Exec(ctx context.Context, query string) error {
	return s.touch(ctx, func(tx *Tx) error {
		_, err := tx.exec(query)
		return err
	})
}

// GormWrites tries every way gorm has to write.
func (s *Store) GormWrites(row any) map[string]error {
	return map[string]error{
		"create": s.gorm.Create(row).Error,
		"save":   s.gorm.Save(row).Error,
		"update": s.gorm.Model(row).Where("id = ?", 1).Update("brand", "x").Error,
		"delete": s.gorm.Where("id = ?", 1).Delete(row).Error,
		"exec":   s.gorm.Exec("DELETE FROM ticket").Error,
		"raw":    s.gorm.Raw("UPDATE ticket SET brand = 'x' RETURNING id").Scan(new([]int64)).Error,
	}
}
