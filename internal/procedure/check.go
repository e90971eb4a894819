package procedure

func (s *Set) check() error { return nil }
