package reply

import (
	"errors"
	"slices"
	"strings"

	"postdesk/internal/ticket"
)

// What a caller can act on.
var (
	ErrUnknown = errors.New("no such template")
	ErrMissing = errors.New("variable is missing")
	ErrValue   = errors.New("unsuitable value")
)

// The two languages every template exists in.
const (
	Chinese = "zh-CN"
	English = "en"
)

// Languages lists the languages every template exists in.
func Languages() []string { return []string{Chinese, English} }

// Language picks the language of an answer for a BCP 47 tag: zh-CN for every Chinese one, en for everything else.
func Language(tag string) string {
	primary, _, _ := strings.Cut(strings.ReplaceAll(strings.ToLower(tag), "_", "-"), "-")
	switch primary {
	case "zh", "cmn", "yue", "wuu", "nan", "hak":
		return Chinese
	}
	return English
}

// Recipient says where a mail may go.
type Recipient string

const (
	ToCustomer   Recipient = "customer"   // the address the ticket belongs to
	ToRegistered Recipient = "registered" // only the address stored in the account system
	ToInternal   Recipient = "internal"   // staff
)

// Type of a variable. See the package documentation.
type Type string

const (
	typeText    Type = "text"
	typeSetting Type = "setting"
	typeName    Type = "name"
	typeNumber  Type = "number"
	typeTime    Type = "time"
	typeDay     Type = "day"
	typeURL     Type = "url"
	typeCode    Type = "code"
	typeProse   Type = "prose"
	typeChoice  Type = "choice"
	typeFlag    Type = "flag"
	typeList    Type = "list"
	typeRecords Type = "records"
)

func types() []Type {
	return []Type{typeText, typeSetting, typeName, typeNumber, typeTime, typeDay, typeURL, typeCode, typeProse, typeChoice,
		typeFlag, typeList, typeRecords}
}

// Variable is one value a template needs.
//
// Render takes string (text, setting, name, url, code, prose, choice), any Go integer (number, and where text is asked),
// time.Time (time, day: written in the zone it carries), bool (flag), []string (list) and []map[string]string (records).
type Variable struct {
	Name     string
	Type     Type
	Optional bool
	Values   []string // of a choice
	Fields   []string // of records, without the ? of an optional one
	optional []string // fields that may be empty
	sample   map[string]any
}

// OptionalField reports whether the field of a records variable may be empty.
func (v Variable) OptionalField(name string) bool { return slices.Contains(v.optional, name) }

// Template is what is known of a template apart from its words.
type Template struct {
	Key       string
	To        Recipient
	Class     ticket.Class
	Purpose   string
	Variables []Variable // its own, by name; those of every mail are in Common
}

// Common lists the variables every template may use without declaring them: ticket_no and brand must be given, the others are
// left out of the mail when they are not. customer_name may be passed only when the name was verified.
func Common() []Variable {
	both := func(zh, en any) map[string]any { return map[string]any{Chinese: zh, English: en} }
	return []Variable{
		{Name: "ticket_no", Type: typeCode, sample: both("10423", "10423")},
		{Name: "brand", Type: typeSetting, sample: both("OKPay", "OKPay")},
		{Name: "customer_name", Type: typeName, Optional: true, sample: both("林晓雨", "Maria Keller")},
		{Name: "official_domain", Type: typeSetting, Optional: true, sample: both("okpay.example", "okpay.example")},
		{Name: "support_phone", Type: typeSetting, Optional: true, sample: both("+352 2600 0000", "+352 2600 0000")},
		{Name: "sla_text", Type: typeSetting, Optional: true, sample: both("1 个工作日内", "within 1 business day")},
	}
}
