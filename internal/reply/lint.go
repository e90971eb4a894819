package reply

// Severity of a remark.
type Severity string

const (
	Warn  Severity = "warn"  // a person should look at it before sending
	Block Severity = "block" // must not be sent
)

// Remark is one fault of wording. Start and End count Unicode code points of the text.
type Remark struct {
	Start, End int
	Rule       string
	Severity   Severity
	Hint       string
}

// Options of Lint; the zero value is for a text an agent has written.
type Options struct {
	Template bool     // a template: every remark blocks, and every exclamation mark is one
	Strict   bool     // words about checks, reports and authorities block instead of warn
	Allowed  []string // texts of the configuration, which may promise what they say
}

// Lint remarks on wording.
func Lint(text, lang string, opts Options) []Remark { return nil }
