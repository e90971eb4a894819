package procedure

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestCheckFile(t *testing.T) {
	rules := defaultFileRules()
	good := File{Type: "image/jpeg", Size: 500_000, Width: 1600, Height: 1200}
	for name, c := range map[string]struct {
		change func(*File)
		want   []RejectCode
	}{
		"good picture":       {func(*File) {}, nil},
		"good PDF":           {func(f *File) { *f = File{Type: "application/pdf", Size: 200_000, Pages: 10} }, nil},
		"HEIC":               {func(f *File) { f.Type = "image/heic" }, nil},
		"smallest":           {func(f *File) { f.Size = 10 << 10 }, nil},
		"largest":            {func(f *File) { f.Size = 10 << 20 }, nil},
		"short side of 600":  {func(f *File) { f.Width = 600; f.Height = 4000 }, nil},
		"empty":              {func(f *File) { f.Size = 0 }, []RejectCode{RejectEmpty}},
		"infected":           {func(f *File) { f.Infected = true }, []RejectCode{RejectVirus}},
		"archive":            {func(f *File) { f.Type = "application/zip" }, []RejectCode{RejectFormat}},
		"SVG":                {func(f *File) { f.Type = "image/svg+xml" }, []RejectCode{RejectFormat}},
		"unknown type":       {func(f *File) { f.Type = "" }, []RejectCode{RejectFormat}},
		"with a password":    {func(f *File) { *f = File{Type: "application/pdf", Size: 200_000, Encrypted: true} }, []RejectCode{RejectEncrypted}},
		"with scripts":       {func(f *File) { *f = File{Type: "application/pdf", Size: 200_000, Active: true} }, []RejectCode{RejectFormat}},
		"damaged":            {func(f *File) { f.Damaged = true }, []RejectCode{RejectUnreadable}},
		"eleven pages":       {func(f *File) { *f = File{Type: "application/pdf", Size: 200_000, Pages: 11} }, []RejectCode{RejectTooLarge}},
		"too large":          {func(f *File) { f.Size = 10<<20 + 1 }, []RejectCode{RejectTooLarge}},
		"too small":          {func(f *File) { f.Size = 9 << 10 }, []RejectCode{RejectUnreadable}},
		"thumbnail":          {func(f *File) { f.Width = 599 }, []RejectCode{RejectUnreadable}},
		"decompression bomb": {func(f *File) { f.Width, f.Height = 60_000, 60_000 }, []RejectCode{RejectTooLarge}},
	} {
		f := good
		c.change(&f)
		if got := CheckFile(f, rules); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestCheckMail(t *testing.T) {
	rules := defaultFileRules()
	files := make([]File, 12)
	for i := range files {
		files[i].Size = 1 << 20
	}
	if got := CheckMail(files, rules); len(got) != 2 || got[10] != RejectTooLarge {
		t.Errorf("twelve files: %v", got)
	}
	files = []File{{Size: 9 << 20}, {Size: 9 << 20}, {Size: 9 << 20}}
	if got := CheckMail(files, rules); len(got) != 1 || got[2] != RejectTooLarge {
		t.Errorf("27 MiB: %v", got)
	}
}

func TestJudgeForm(t *testing.T) {
	rules := defaultFileRules()
	zone := time.FixedZone("", 8*3600)
	received := time.Date(2026, 5, 31, 20, 0, 0, 0, time.UTC) // 1 June in the zone
	for name, c := range map[string]struct {
		doc    string
		change func(*Form)
		want   []RejectCode
	}{
		"passport":                 {"identity", func(*Form) {}, nil},
		"expires on that day":      {"identity", func(f *Form) { f.Expires = "2026-06-01" }, nil},
		"expired the day before":   {"identity", func(f *Form) { f.Expires = "2026-05-31" }, []RejectCode{RejectExpired}},
		"no expiry on a passport":  {"identity", func(f *Form) { f.Expires = "" }, []RejectCode{RejectUnreadable}},
		"card without expiry":      {"identity", func(f *Form) { f.Kind = "national_id"; f.Expires = "" }, nil},
		"impossible date":          {"identity", func(f *Form) { f.Expires = "2030-02-30" }, []RejectCode{RejectUnreadable}},
		"card, one side":           {"identity", func(f *Form) { f.Kind = "national_id"; f.BothSides = false }, []RejectCode{RejectMissingSide}},
		"library card":             {"identity", func(f *Form) { f.Kind = "library" }, []RejectCode{RejectWrongType}},
		"cut off":                  {"identity", func(f *Form) { f.Corners = false }, []RejectCode{RejectCropped}},
		"other name and birth":     {"identity", func(f *Form) { f.NameMatches = false; f.BirthMatches = false }, []RejectCode{RejectName, RejectBirth}},
		"bill of today":            {"address", func(f *Form) { f.Issued = "2026-06-01" }, nil},
		"bill of three months ago": {"address", func(f *Form) { f.Issued = "2026-03-01" }, nil},
		"a day older":              {"address", func(f *Form) { f.Issued = "2026-02-28" }, []RejectCode{RejectTooOld}},
		"of tomorrow":              {"address", func(f *Form) { f.Issued = "2026-06-02" }, []RejectCode{RejectFuture}},
		"undated":                  {"address", func(f *Form) { f.Issued = "" }, []RejectCode{RejectUnreadable}},
		"mobile bill":              {"address", func(f *Form) { f.Kind = "mobile" }, []RejectCode{RejectWrongType}},
		"post box":                 {"address", func(f *Form) { f.POBox = true }, []RejectCode{RejectAddress}},
		"screenshot":               {"address", func(f *Form) { f.Screenshot = true }, []RejectCode{RejectScreenshot}},
		"selfie of that day":       {"selfie", func(*Form) {}, nil},
		"two days before":          {"selfie", func(f *Form) { f.NoteDate = "2026-05-30" }, nil},
		"three days before":        {"selfie", func(f *Form) { f.NoteDate = "2026-05-29" }, []RejectCode{RejectNoteDate}},
		"a day after":              {"selfie", func(f *Form) { f.NoteDate = "2026-06-02" }, nil},
		"two days after":           {"selfie", func(f *Form) { f.NoteDate = "2026-06-03" }, []RejectCode{RejectNoteDate}},
		"no ticket number":         {"selfie", func(f *Form) { f.NoteTicket = false }, []RejectCode{RejectNote}},
		"face hidden":              {"selfie", func(f *Form) { f.FaceVisible = false }, []RejectCode{RejectFace}},
		"edited":                   {"selfie", func(f *Form) { f.Edited = true }, []RejectCode{RejectEdited}},
		"pay slip":                 {"funds", func(*Form) {}, nil},
		"nothing established":      {"funds", func(f *Form) { f.Approved = " " }, []RejectCode{RejectWrongType}},
	} {
		f := goodForm(c.doc, received.In(zone))
		c.change(f)
		if got := JudgeForm(c.doc, *f, received, zone, rules); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// Three calendar months, clamped: a document is young enough on the last day and too old on the day before, whatever the month.
func TestAddressAgeIsThreeCalendarMonths(t *testing.T) {
	rules := defaultFileRules()
	rapid.Check(t, func(rt *rapid.T) {
		received := time.Date(2024, 1, 1, 12, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 1500).Draw(rt, "day"))
		oldest := AddMonths(received, -3)
		if oldest.Day() != received.Day() && oldest.AddDate(0, 0, 1).Day() != 1 {
			rt.Fatalf("three months before %s is %s", received, oldest)
		}
		f := goodForm("address", received)
		f.Issued = oldest.Format("2006-01-02")
		if got := JudgeForm("address", *f, received, time.UTC, rules); got != nil {
			rt.Fatalf("issued %s, received %s: %v", f.Issued, received, got)
		}
		f.Issued = oldest.AddDate(0, 0, -1).Format("2006-01-02")
		if got := JudgeForm("address", *f, received, time.UTC, rules); !slices.Equal(got, []RejectCode{RejectTooOld}) {
			rt.Fatalf("issued %s, received %s: %v", f.Issued, received, got)
		}
	})
}
