package email

import (
	"encoding/binary"
	"strings"
	"unicode/utf16"

	"postdesk/internal/email/charset"
)

// Attribute and property numbers of the Transport Neutral Encapsulation Format, Outlook's winmail.dat ([MS-OXTNEF]).
const (
	tnefSignature = 0x223e9f78

	tnefNewFile    = 0x00069002 // attAttachRenddata starts a file
	tnefTitle      = 0x00018010
	tnefData       = 0x0006800f
	tnefFileProps  = 0x00069005
	tnefMailProps  = 0x00069003
	tnefPlainBody  = 0x0002800c
	maxTNEFFiles   = 100
	maxTNEFProps   = 2000
	propBody       = 0x1000
	propLongName   = 0x3707
	propMIME       = 0x370e
	propContentID  = 0x3712
	namedProps     = 0x8000
	manyValues     = 0x1000
	typeString     = 0x001e
	typeUnicode    = 0x001f
	typeBinary     = 0x0102
	typeObject     = 0x000d
	typeGUID       = 0x0048
	fourByteTypes  = "\x02\x03\x04\x0a\x0b"
	eightByteTypes = "\x05\x06\x07\x14\x40"
)

// tnefFile is one file inside a winmail.dat.
type tnefFile struct {
	name, media, cid string
	data             []byte
}

// parseTNEF lists the files in a winmail.dat and its plain text, if any. The data are slices of b. ok is false for what is no TNEF;
// a damaged one gives what came before the damage.
func parseTNEF(b []byte) (files []tnefFile, text string, ok bool) {
	if len(b) < 6 || binary.LittleEndian.Uint32(b) != tnefSignature {
		return nil, "", false
	}
	for b = b[6:]; len(b) >= 11 && len(files) <= maxTNEFFiles; {
		id, size := binary.LittleEndian.Uint32(b[1:]), int64(binary.LittleEndian.Uint32(b[5:]))
		if size > int64(len(b)-11) {
			return files, text, true
		}
		value := b[9 : 9+size]
		b = b[11+size:]
		switch id {
		case tnefNewFile:
			files = append(files, tnefFile{})
			continue
		case tnefPlainBody:
			text = tnefText(value)
		case tnefMailProps:
			eachProp(value, func(prop uint16, v string) {
				if prop == propBody && v != "" {
					text = v
				}
			})
		}
		if len(files) > 0 {
			files[len(files)-1].read(id, value)
		}
	}
	return files, text, true
}

func (f *tnefFile) read(id uint32, value []byte) {
	switch id {
	case tnefTitle:
		if f.name == "" {
			f.name = tnefText(value)
		}
	case tnefData:
		f.data = value
	case tnefFileProps:
		eachProp(value, func(prop uint16, v string) {
			switch {
			case prop == propLongName && v != "":
				f.name = v
			case prop == propMIME:
				f.media = strings.ToLower(v)
			case prop == propContentID:
				f.cid = v
			}
		})
	}
}

func tnefText(b []byte) string {
	text, _ := charset.Decode([]byte(strings.TrimRight(string(b), "\x00")), "")
	return text
}

// eachProp walks a list of MAPI properties and reports those that are strings.
func eachProp(b []byte, report func(prop uint16, value string)) {
	r := propReader{b: b}
	for n := min(r.long(), maxTNEFProps); n > 0 && !r.bad; n-- {
		kind, prop := r.short(), r.short()
		if prop >= namedProps {
			r.skipName()
		}
		r.value(kind, prop, report)
	}
}

// propReader reads a property list; once it has run past the end it gives zeros.
type propReader struct {
	b   []byte
	bad bool
}

func (r *propReader) take(n int64) []byte {
	if r.bad || n < 0 || n > int64(len(r.b)) {
		r.bad = true
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *propReader) short() uint16 {
	if b := r.take(2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

func (r *propReader) long() uint32 {
	if b := r.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

// padded takes a value whose length comes first and that is filled up to four bytes.
func (r *propReader) padded() []byte {
	n := int64(r.long())
	out := r.take(n)
	r.take((4 - n%4) % 4)
	return out
}

func (r *propReader) skipName() {
	r.take(16)
	if r.long() == 0 {
		r.long()
		return
	}
	r.padded()
}

func (r *propReader) value(kind, prop uint16, report func(uint16, string)) {
	count := uint32(1)
	base := kind &^ manyValues
	text := base == typeString || base == typeUnicode || base == typeBinary || base == typeObject
	if text || kind&manyValues != 0 {
		count = min(r.long(), maxTNEFProps)
	}
	for ; count > 0 && !r.bad; count-- {
		switch {
		case base == typeString:
			report(prop, tnefText(r.padded()))
		case base == typeUnicode:
			report(prop, utf16Text(r.padded()))
		case text:
			r.padded()
		case base == typeGUID:
			r.take(16)
		case base < 0x100 && strings.IndexByte(fourByteTypes, byte(base)) >= 0:
			r.take(4)
		case base < 0x100 && strings.IndexByte(eightByteTypes, byte(base)) >= 0:
			r.take(8)
		default:
			r.bad = true
		}
	}
}

func utf16Text(b []byte) string {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return strings.TrimRight(string(utf16.Decode(units)), "\x00")
}
