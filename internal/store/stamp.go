package store

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"gorm.io/gorm/schema"
)

// lastStamp is the latest instant that has an RFC 3339 form, which encoding/json insists on.
const lastStamp = 253402300799999999

// stamp is the gorm serializer of times: microseconds since 1970 in a BIGINT, the zero time as 0.
type stamp struct{}

// Scan implements schema.SerializerInterface.
func (stamp) Scan(ctx context.Context, field *schema.Field, dst reflect.Value, dbValue any) error {
	micros, ok := dbValue.(int64)
	if dbValue != nil && !ok {
		return fmt.Errorf("column %s holds %T where a time in microseconds belongs", field.DBName, dbValue)
	}
	field.ReflectValueOf(ctx, dst).Set(reflect.ValueOf(fromMicros(micros)))
	return nil
}

// Value implements schema.SerializerInterface.
func (stamp) Value(_ context.Context, _ *schema.Field, _ reflect.Value, value any) (any, error) {
	t, ok := value.(time.Time)
	if !ok {
		return nil, fmt.Errorf("%T is no time", value)
	}
	return toMicros(t), nil
}

// toMicros keeps a time within what can be stored and read back unchanged. The very microsecond 0 is the zero time.
func toMicros(t time.Time) int64 {
	if t.IsZero() || t.Year() < 1 {
		return 0
	}
	return min(t.UnixMicro(), lastStamp)
}

func fromMicros(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}
