package reply

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

// binder replaces values by tokens, so that the expansion of a template never sees foreign text.
type binder struct {
	lang   string
	values []value
}

// bind returns what the template is expanded with. Names in data that are not declared are ignored.
func (b *binder) bind(vars []Variable, data map[string]any) (map[string]any, error) {
	out := map[string]any{"lang": b.lang}
	for _, v := range vars {
		bound, err := b.variable(v, data[v.Name])
		if err != nil {
			return nil, fmt.Errorf("variable %s: %w", v.Name, err)
		}
		out[v.Name] = bound
	}
	return out, nil
}

func (b *binder) variable(v Variable, given any) (any, error) {
	if absent(given) {
		if !v.Optional {
			return nil, ErrMissing
		}
		return empty(v.Type), nil
	}
	switch v.Type {
	case typeChoice:
		return choose(v, given)
	case typeFlag:
		flag, ok := given.(bool)
		if !ok {
			return nil, fmt.Errorf("%w: %T is not a bool", ErrValue, given)
		}
		return flag, nil
	case typeList:
		return b.list(given)
	case typeRecords:
		return b.records(v, given)
	}
	return b.token(v.Type, given, v.Optional)
}

// absent is nil, "", the zero time and an empty list; 0 is a number and false is a flag.
func absent(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return strings.TrimSpace(v) == ""
	case time.Time:
		return v.IsZero()
	}
	r := reflect.ValueOf(v)
	return r.Kind() == reflect.Slice && r.Len() == 0
}

func empty(t Type) any {
	switch t {
	case typeFlag:
		return false
	case typeList:
		return []string(nil)
	case typeRecords:
		return []map[string]string(nil)
	}
	return ""
}

func choose(v Variable, given any) (any, error) {
	s := fmt.Sprint(given)
	for _, allowed := range v.Values {
		if s == allowed {
			return allowed, nil
		}
	}
	return nil, fmt.Errorf("%w: not one of %s", ErrValue, strings.Join(v.Values, ", "))
}

// token keeps the formatted value and returns what stands for it; "" when nothing readable is left of an optional one.
func (b *binder) token(t Type, given any, optional bool) (string, error) {
	text, err := formatValue(t, b.lang, given)
	switch {
	case err != nil:
		return "", err
	case text == "" && optional:
		return "", nil
	case text == "":
		return "", ErrMissing
	}
	b.values = append(b.values, value{t, text})
	return token(len(b.values) - 1), nil
}

func (b *binder) list(given any) ([]string, error) {
	items, ok := given.([]string)
	if !ok {
		return nil, fmt.Errorf("%w: %T is not []string", ErrValue, given)
	}
	out := make([]string, len(items))
	for i, item := range items {
		token, err := b.token(typeText, item, false)
		if err != nil {
			return nil, fmt.Errorf("item %d: %w", i, err)
		}
		out[i] = token
	}
	return out, nil
}

func (b *binder) records(v Variable, given any) ([]map[string]string, error) {
	items, ok := given.([]map[string]string)
	if !ok {
		return nil, fmt.Errorf("%w: %T is not []map[string]string", ErrValue, given)
	}
	out := make([]map[string]string, len(items))
	for i, item := range items {
		out[i] = make(map[string]string, len(v.Fields))
		for _, field := range v.Fields {
			token, err := b.token(typeText, item[field], v.OptionalField(field))
			if err != nil {
				return nil, fmt.Errorf("item %d: field %s: %w", i, field, err)
			}
			out[i][field] = token
		}
	}
	return out, nil
}
