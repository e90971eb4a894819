package email

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A file name has at most 120 characters and 240 bytes: as much as every file system takes with an extension added.
const (
	maxNameRunes = 120
	maxNameBytes = 240
)

// safeName makes a file name that can be shown and offered for download: the last element of a path, without control and
// bidirectional characters and characters that file systems refuse, not starting with a dot, at most 120 characters of which
// the extension is kept. It is "" if nothing is left. It is never used as a path.
func safeName(name string) string {
	name = withoutBidi(cleanLine(name))
	if i := strings.LastIndexAny(name, `/\`); i >= 0 && i < len(name)-1 {
		name = name[i+1:]
	}
	name = strings.Map(func(r rune) rune {
		switch {
		case strings.ContainsRune(`<>:"|?*/\`, r):
			return '_'
		case unicode.IsControl(r) || r == utf8.RuneError:
			return -1
		}
		return r
	}, name)
	name = strings.TrimLeft(strings.TrimSpace(name), ". ")
	name = strings.TrimRight(name, ". ")
	return shorten(name)
}

func shorten(name string) string {
	if len(name) <= maxNameBytes && utf8.RuneCountInString(name) <= maxNameRunes {
		return name
	}
	stem, ext := name, ""
	if i := strings.LastIndexByte(name, '.'); i > 0 && len(name)-i <= 12 {
		stem, ext = name[:i], name[i:]
	}
	cut, runes := 0, 0
	for i, r := range stem {
		if runes++; i+utf8.RuneLen(r)+len(ext) > maxNameBytes || runes+len(ext) > maxNameRunes {
			break
		}
		cut = i + utf8.RuneLen(r)
	}
	return strings.TrimRight(stem[:cut], ". ") + ext
}

// inventedName names a nameless attachment by its number and type.
func inventedName(n int, media string) string {
	return fmt.Sprintf("attachment-%d%s", n, extensionOf(media))
}

func extensionOf(media string) string {
	switch media {
	case "image/jpeg", "image/jpg", "image/pjpeg":
		return ".jpg"
	case "image/png", "image/gif", "image/webp", "image/bmp", "image/tiff", "image/heic", "image/heif", "application/pdf", "application/zip", "text/csv", "application/json", "text/rtf", "application/rtf", "text/html", "application/gzip":
		return "." + media[strings.IndexByte(media, '/')+1:]
	case "image/svg+xml":
		return ".svg"
	case "text/plain":
		return ".txt"
	case "text/xml", "application/xml":
		return ".xml"
	case "text/calendar", "application/ics":
		return ".ics"
	case "text/vcard", "text/x-vcard":
		return ".vcf"
	case "message/rfc822", "message/global":
		return ".eml"
	case "application/msword":
		return ".doc"
	case "application/vnd.openxmlformats-officedocument.wordprocessingml.document":
		return ".docx"
	case "application/vnd.ms-excel":
		return ".xls"
	case "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet":
		return ".xlsx"
	case "application/ms-tnef", "application/vnd.ms-tnef":
		return ".dat"
	case "application/pgp-signature":
		return ".asc"
	case "application/pkcs7-signature", "application/x-pkcs7-signature":
		return ".p7s"
	case "application/pkcs7-mime", "application/x-pkcs7-mime":
		return ".p7m"
	case "audio/mpeg":
		return ".mp3"
	case "video/mp4":
		return ".mp4"
	case "video/quicktime":
		return ".mov"
	}
	return ".bin"
}
