package store

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"gorm.io/gorm/schema"

	"postdesk/internal/agent"
	"postdesk/internal/ticket"
)

// table maps one struct to its columns. Reading goes through gorm; this is the writing side, which has to be fast.
type table struct {
	name    string
	typ     reflect.Type
	order   int // rows are inserted in this order, so that foreign keys hold at every statement
	key     column
	raw     *column  // names an original, in tables that do
	columns []column // the key first
}

type column struct {
	name     string
	index    int
	volatile bool // json:"-": no part of the fingerprint, never touched by Update
	optional bool // a reference: 0 or "" is stored as NULL
}

// references lists the foreign keys, which say "none" with NULL where the structs say 0 or "".
var references = map[string]string{
	"ticket":   "customer_id merged_into",
	"message":  "ticket_id raw_sha256",
	"inbound":  "raw_sha256 ticket_id message_id",
	"held":     "inbound_id raw_sha256 ticket_id message_id",
	"delivery": "ticket_id message_id raw_sha256",
	"awaited":  "ticket_id",
}

// tables of audited rows, in the order in which they may be inserted.
var models = []any{
	agent.Account{}, ticket.Mailbox{}, ticket.Customer{}, ticket.Ticket{}, ticket.Message{}, ticket.Attachment{},
	ticket.Inbound{}, ticket.Held{}, ticket.Delivery{}, ticket.Awaited{},
}

// naming is how gorm and this package derive names from the structs.
var naming = schema.NamingStrategy{SingularTable: true}

func loadTables() (map[reflect.Type]*table, []*table, error) {
	schema.RegisterSerializer("stamp", stamp{})
	byType := make(map[reflect.Type]*table, len(models))
	list := make([]*table, 0, len(models))
	for i, model := range models {
		t, err := loadTable(model)
		if err != nil {
			return nil, nil, fmt.Errorf("map %T: %w", model, err)
		}
		t.order = i
		byType[t.typ] = t
		list = append(list, t)
	}
	return byType, list, nil
}

func loadTable(model any) (*table, error) {
	parsed, err := schema.Parse(model, &sync.Map{}, naming)
	if err != nil {
		return nil, err
	}
	t := &table{name: parsed.Table, typ: parsed.ModelType}
	optional := strings.Fields(references[t.name])
	for _, f := range parsed.Fields {
		c := column{name: f.DBName, index: f.StructField.Index[0], volatile: f.Tag.Get("json") == "-"}
		for _, o := range optional {
			c.optional = c.optional || o == c.name
		}
		if f.PrimaryKey {
			t.key = c
		}
		if c.name == "raw_sha256" {
			t.raw = &c
		}
		t.columns = append(t.columns, c)
	}
	return t, nil
}

// rowName is what events call the row: "ticket/17", "mailbox/support".
func (t *table) rowName(row reflect.Value) string {
	f := row.Field(t.key.index)
	if f.Kind() == reflect.String {
		return t.name + "/" + f.String()
	}
	return t.name + "/" + strconv.FormatInt(f.Int(), 10)
}

// originalOf returns the SHA-256 of the mail the row names, "" for none.
func (t *table) originalOf(row reflect.Value) string {
	if t.raw == nil {
		return ""
	}
	return row.Field(t.raw.index).String()
}

// clean brings a row to the form in which it will be read back, so that its fingerprint holds: text is valid UTF-8 without
// NUL (PostgreSQL stores no other), times are UTC in whole microseconds.
func (t *table) clean(row reflect.Value) {
	for _, c := range t.columns {
		f := row.Field(c.index)
		switch v := f.Addr().Interface().(type) {
		case *time.Time:
			*v = fromMicros(toMicros(*v))
		case *[]string:
			cleanList(v)
		default:
			if f.Kind() == reflect.String && !storable(f.String()) {
				f.SetString(cleanText(f.String()))
			}
		}
	}
}

func cleanList(list *[]string) {
	for i, s := range *list {
		if storable(s) {
			continue
		}
		copied := append([]string(nil), *list...)
		for j := i; j < len(copied); j++ {
			copied[j] = cleanText(copied[j])
		}
		*list = copied
		return
	}
}

func storable(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

func cleanText(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// value is the column's value as the drivers take it.
func (c column) value(row reflect.Value) any {
	f := row.Field(c.index)
	if c.optional && f.IsZero() {
		return nil
	}
	switch f.Kind() {
	case reflect.String:
		return f.String()
	case reflect.Int, reflect.Int64:
		return f.Int()
	case reflect.Uint32:
		return int64(f.Uint())
	case reflect.Bool:
		return f.Bool()
	case reflect.Float64:
		return f.Float()
	case reflect.Struct:
		return toMicros(*f.Addr().Interface().(*time.Time))
	case reflect.Slice:
		return jsonList(*f.Addr().Interface().(*[]string))
	}
	panic(fmt.Sprintf("column %s has the unmapped type %s", c.name, f.Type()))
}

// jsonList is the text gorm's json serializer reads back to the same slice; nil is NULL.
func jsonList(list []string) any {
	if list == nil {
		return nil
	}
	text, _ := json.Marshal(list) // strings always have a JSON form
	return string(text)
}
