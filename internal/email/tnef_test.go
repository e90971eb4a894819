package email

import (
	"encoding/base64"
	"encoding/binary"
	"slices"
	"testing"
	"unicode/utf16"
)

// attribute appends one TNEF attribute; the checksum is not looked at.
func attribute(b []byte, level byte, id uint32, data []byte) []byte {
	b = append(b, level)
	b = binary.LittleEndian.AppendUint32(b, id)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(data)))
	return append(append(b, data...), 0, 0)
}

func pad(b []byte) []byte {
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

func unicodeProp(prop uint16, s string) []byte {
	var units []byte
	for _, u := range append(utf16.Encode([]rune(s)), 0) {
		units = binary.LittleEndian.AppendUint16(units, u)
	}
	b := binary.LittleEndian.AppendUint16(nil, typeUnicode)
	b = binary.LittleEndian.AppendUint16(b, prop)
	b = binary.LittleEndian.AppendUint32(b, 1)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(units)))
	return append(b, pad(units)...)
}

func props(list ...[]byte) []byte {
	out := binary.LittleEndian.AppendUint32(nil, uint32(len(list)))
	for _, p := range list {
		out = append(out, p...)
	}
	return out
}

func winmail() []byte {
	b := append(binary.LittleEndian.AppendUint32(nil, tnefSignature), 1, 0)
	number := []byte{3, 0, 0x17, 0, 1, 0, 0, 0} // a long
	b = attribute(b, 1, tnefMailProps, props(number, unicodeProp(propBody, "请看附件。")))
	b = attribute(b, 2, tnefNewFile, make([]byte, 14))
	b = attribute(b, 2, tnefTitle, []byte("SHORT~1.PDF\x00"))
	b = attribute(b, 2, tnefData, []byte("%PDF-1.7 one"))
	b = attribute(b, 2, tnefFileProps, props(unicodeProp(propLongName, "身份证.pdf"), unicodeProp(propMIME, "application/pdf")))
	b = attribute(b, 2, tnefNewFile, make([]byte, 14))
	b = attribute(b, 2, tnefTitle, []byte("note.txt\x00"))
	return attribute(b, 2, tnefData, []byte("two"))
}

func TestFilesInOutlookRichTextAreTakenOut(t *testing.T) {
	raw := crlf("From: a@example.com\nContent-Type: application/ms-tnef; name=winmail.dat\nContent-Transfer-Encoding: base64\n\n" + base64.StdEncoding.EncodeToString(winmail()) + "\n")
	m := Parse(raw)
	if !slices.Equal(filenames(m), []string{"winmail.dat", "身份证.pdf", "note.txt"}) || m.Text != "请看附件。" || !problem(m, "tnef") {
		t.Errorf("%q %q %v", filenames(m), m.Text, m.Problems)
	}
	if a := m.Attachments[1]; a.ContentType != "application/pdf" || string(a.Bytes()) != "%PDF-1.7 one" {
		t.Errorf("%+v", a)
	}
}

func FuzzTNEF(f *testing.F) {
	f.Add(winmail())
	f.Fuzz(func(t *testing.T, b []byte) {
		files, _, _ := parseTNEF(b)
		total := 0
		for _, file := range files {
			total += len(file.data)
		}
		if total > len(b) {
			t.Fatalf("%d bytes out of %d", total, len(b))
		}
	})
}
