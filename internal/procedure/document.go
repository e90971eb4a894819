package procedure

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// File is what is known of an attachment without looking at its picture. Everything here was computed from the bytes.
type File struct {
	SHA256     string `json:"sha256"`
	Name       string `json:"name,omitzero"`
	Type       string `json:"type"`           // by content: image/jpeg, application/pdf, …
	Size       int64  `json:"size"`           // bytes after decoding
	Width      int    `json:"width,omitzero"` // of an image, read from its header before decoding; 0: unknown
	Height     int    `json:"height,omitzero"`
	Pages      int    `json:"pages,omitzero"`
	Encrypted  bool   `json:"encrypted,omitzero"`
	Active     bool   `json:"active,omitzero"` // scripts or embedded files in a PDF
	Infected   bool   `json:"infected,omitzero"`
	Damaged    bool   `json:"damaged,omitzero"`   // cannot be opened
	Elsewhere  bool   `json:"elsewhere,omitzero"` // the same bytes were sent in another customer's ticket
	Kind       string `json:"kind,omitzero"`      // what the rules take it for: identity, address, selfie, funds, payment, notice, authority; "" unknown
	Message    string `json:"message,omitzero"`   // the mail it came with
	Attachment int64  `json:"attachment,omitzero"`
}

// FileRules are the limits of one brand. Zero values are replaced by the defaults.
type FileRules struct {
	Types       []string // accepted content types
	MinSize     int64    // bytes
	MaxSize     int64
	MaxFiles    int   // per mail
	MaxTotal    int64 // bytes per mail
	MinSide     int   // pixels of the short side
	MaxPixels   int64
	MaxPages    int
	MaxAttempts int  // rejections of one item before a person takes over
	AddressAge  Span // of a proof of address
	SelfieEarly int  // days the date on the note may lie before receipt
	SelfieLate  int  // days after
	Valid       Span // how long an accepted document counts
	MobileBill  bool // accepted as proof of address
}

func defaultFileRules() FileRules {
	return FileRules{
		Types:   []string{"image/jpeg", "image/png", "image/heic", "image/heif", "image/webp", "application/pdf"},
		MinSize: 10 << 10, MaxSize: 10 << 20, MaxFiles: 10, MaxTotal: 25 << 20, MinSide: 600, MaxPixels: 50_000_000, MaxPages: 10,
		MaxAttempts: 3, AddressAge: Span{3, "mo"}, SelfieEarly: 2, SelfieLate: 1, Valid: Span{90, "d"},
	}
}

func (r *reader) fileRules(n *yaml.Node) FileRules {
	d := defaultFileRules()
	f := r.fields(n, "types", "min_size", "max_size", "max_files", "max_total", "min_side", "max_pixels", "max_pages", "max_attempts",
		"address_age", "selfie_early", "selfie_late", "valid", "mobile_bill")
	number := func(key string, set func(int64)) {
		if f[key] == nil {
			return
		}
		v, err := strconv.ParseInt(r.str(f[key]), 10, 64)
		if err != nil || v < 0 {
			r.fail(f[key].Line, "%s: %q is not a whole number", key, f[key].Value)
			return
		}
		set(v)
	}
	if t := r.list(f["types"]); len(t) > 0 {
		d.Types = t
	}
	number("min_size", func(v int64) { d.MinSize = v })
	number("max_size", func(v int64) { d.MaxSize = v })
	number("max_files", func(v int64) { d.MaxFiles = int(v) })
	number("max_total", func(v int64) { d.MaxTotal = v })
	number("min_side", func(v int64) { d.MinSide = int(v) })
	number("max_pixels", func(v int64) { d.MaxPixels = v })
	number("max_pages", func(v int64) { d.MaxPages = int(v) })
	number("max_attempts", func(v int64) { d.MaxAttempts = int(v) })
	number("selfie_early", func(v int64) { d.SelfieEarly = int(v) })
	number("selfie_late", func(v int64) { d.SelfieLate = int(v) })
	if s := r.span(f["address_age"]); s.N > 0 {
		d.AddressAge = s
	}
	if s := r.span(f["valid"]); s.N > 0 {
		d.Valid = s
	}
	d.MobileBill = r.flag(f["mobile_bill"])
	return d
}

// CheckFile returns why a file cannot be taken, in the order a customer would want to hear it; nil when a person may look at it.
// It never judges what a picture shows.
func CheckFile(f File, rules FileRules) []RejectCode {
	switch {
	case f.Infected:
		return []RejectCode{RejectVirus}
	case f.Size == 0:
		return []RejectCode{RejectEmpty}
	case !slices.Contains(rules.Types, f.Type):
		return []RejectCode{RejectFormat}
	case f.Encrypted:
		return []RejectCode{RejectEncrypted}
	case f.Damaged:
		return []RejectCode{RejectUnreadable}
	}
	var codes []RejectCode
	if f.Size > rules.MaxSize || f.pixels() > rules.MaxPixels || f.Pages > rules.MaxPages {
		codes = append(codes, RejectTooLarge)
	}
	if f.Size < rules.MinSize || f.short() > 0 && f.short() < rules.MinSide {
		codes = append(codes, RejectUnreadable)
	}
	if f.Active {
		codes = append(codes, RejectFormat)
	}
	return codes
}

func (f File) pixels() int64 { return int64(f.Width) * int64(f.Height) }

// short is the shorter side in pixels; 0 when the file has no dimensions or they are unknown.
func (f File) short() int {
	if strings.HasPrefix(f.Type, "image/") {
		return min(f.Width, f.Height)
	}
	return 0
}

// CheckMail returns the files of one mail beyond the limits of number and total size, by index.
func CheckMail(files []File, rules FileRules) map[int]RejectCode {
	out := map[int]RejectCode{}
	var total int64
	for i, f := range files {
		total += f.Size
		if i >= rules.MaxFiles || total > rules.MaxTotal {
			out[i] = RejectTooLarge
		}
	}
	return out
}

// Form is what a person read off a document. Dates are "2006-01-02"; "" means not on the document or not asked.
type Form struct {
	Kind           string `json:"kind"` // passport, national_id, residence_permit, driving_licence; utility, bank, tax, government, mobile; selfie; …
	Last4          string `json:"last4,omitzero"`
	NumberHash     string `json:"number_hash,omitzero"` // keyed hash of the number: the number itself is not kept
	Issuer         string `json:"issuer,omitzero"`
	Expires        string `json:"expires,omitzero"`
	Issued         string `json:"issued,omitzero"`
	NoteDate       string `json:"note_date,omitzero"` // handwritten on the selfie's note
	NoteBrand      bool   `json:"note_brand,omitzero"`
	NoteTicket     bool   `json:"note_ticket,omitzero"`
	FaceVisible    bool   `json:"face_visible,omitzero"`
	Corners        bool   `json:"corners,omitzero"` // all four are visible
	BothSides      bool   `json:"both_sides,omitzero"`
	NameMatches    bool   `json:"name_matches,omitzero"`
	BirthMatches   bool   `json:"birth_matches,omitzero"`
	AddressMatches bool   `json:"address_matches,omitzero"`
	Screenshot     bool   `json:"screenshot,omitzero"`
	Edited         bool   `json:"edited,omitzero"`
	POBox          bool   `json:"po_box,omitzero"`
	Approved       string `json:"approved,omitzero"` // for kinds without own rules: what was established
}

// JudgeForm returns why a document with these facts cannot be accepted; nil when it can. received is the moment the mail
// arrived at the server, zone the customer's or the brand's.
func JudgeForm(doc string, f Form, received time.Time, zone *time.Location, rules FileRules) []RejectCode {
	day := dayOf(received, zone)
	switch doc {
	case "identity":
		return judgeIdentity(f, day)
	case "address":
		return judgeAddress(f, day, rules)
	case "selfie":
		return judgeSelfie(f, day, rules)
	}
	return judgeOther(f)
}

func judgeIdentity(f Form, day time.Time) []RejectCode {
	var codes []RejectCode
	add := adder(&codes)
	add(!slices.Contains([]string{"passport", "national_id", "residence_permit", "driving_licence"}, f.Kind), RejectWrongType)
	expires, ok := parseDay(f.Expires)
	add(f.Expires != "" && !ok || f.Kind == "passport" && f.Expires == "", RejectUnreadable)
	add(ok && expires.Before(day), RejectExpired)
	add(!f.Corners, RejectCropped)
	add(!f.BothSides && f.Kind != "passport", RejectMissingSide)
	add(!f.NameMatches, RejectName)
	add(!f.BirthMatches, RejectBirth)
	add(f.Screenshot, RejectScreenshot)
	add(f.Edited, RejectEdited)
	return codes
}

func judgeAddress(f Form, day time.Time, rules FileRules) []RejectCode {
	var codes []RejectCode
	add := adder(&codes)
	kinds := []string{"utility", "bank", "tax", "government"}
	if rules.MobileBill {
		kinds = append(kinds, "mobile")
	}
	add(!slices.Contains(kinds, f.Kind), RejectWrongType)
	issued, ok := parseDay(f.Issued)
	add(!ok, RejectUnreadable)
	add(ok && issued.Before(oldestIssue(day, rules.AddressAge)), RejectTooOld)
	add(ok && issued.After(day), RejectFuture)
	add(!f.NameMatches, RejectName)
	add(!f.AddressMatches || f.POBox, RejectAddress)
	add(f.Screenshot, RejectScreenshot)
	add(f.Edited, RejectEdited)
	add(!f.Corners, RejectCropped)
	return codes
}

// oldestIssue is the first day that is young enough: three months before 31 May is 28 (29) February.
func oldestIssue(day time.Time, age Span) time.Time {
	if age.Unit == "mo" {
		return AddMonths(day, -age.N)
	}
	return day.Add(-age.rough())
}

func judgeSelfie(f Form, day time.Time, rules FileRules) []RejectCode {
	var codes []RejectCode
	add := adder(&codes)
	note, ok := parseDay(f.NoteDate)
	add(!ok || !f.NoteBrand || !f.NoteTicket, RejectNote)
	add(ok && (note.Before(day.AddDate(0, 0, -rules.SelfieEarly)) || note.After(day.AddDate(0, 0, rules.SelfieLate))), RejectNoteDate)
	add(!f.FaceVisible, RejectFace)
	add(!f.NameMatches, RejectName)
	add(f.Screenshot, RejectScreenshot)
	add(f.Edited, RejectEdited)
	return codes
}

func judgeOther(f Form) []RejectCode {
	var codes []RejectCode
	add := adder(&codes)
	add(!f.NameMatches, RejectName)
	add(f.Edited, RejectEdited)
	add(strings.TrimSpace(f.Approved) == "", RejectWrongType)
	return codes
}

func adder(codes *[]RejectCode) func(bool, RejectCode) {
	return func(bad bool, code RejectCode) {
		if bad {
			*codes = append(*codes, code)
		}
	}
}

// dayOf is the calendar day of t in a zone, as midnight UTC, so that days compare as numbers.
func dayOf(t time.Time, zone *time.Location) time.Time {
	y, m, d := t.In(zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

func parseDay(s string) (time.Time, bool) {
	t, err := time.Parse("2006-01-02", s)
	return t, err == nil
}

// joinCodes is the list as an error shows it.
func joinCodes(codes []RejectCode) string {
	out := make([]string, len(codes))
	for i, c := range codes {
		out[i] = string(c)
	}
	return strings.Join(out, ", ")
}
