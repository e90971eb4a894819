package email

import (
	"bytes"
	"encoding/binary"
)

// imageSize reads the dimensions from the first bytes of an image file.
func imageSize(b []byte) (width, height int, ok bool) {
	switch {
	case bytes.HasPrefix(b, []byte("\x89PNG\r\n\x1a\n")) && len(b) >= 24:
		return size(binary.BigEndian.Uint32(b[16:]), binary.BigEndian.Uint32(b[20:]))
	case (bytes.HasPrefix(b, []byte("GIF87a")) || bytes.HasPrefix(b, []byte("GIF89a"))) && len(b) >= 10:
		return size(uint32(binary.LittleEndian.Uint16(b[6:])), uint32(binary.LittleEndian.Uint16(b[8:])))
	case bytes.HasPrefix(b, []byte("\xff\xd8")):
		return jpegSize(b)
	case bytes.HasPrefix(b, []byte("RIFF")) && len(b) >= 30 && string(b[8:12]) == "WEBP":
		return webpSize(b)
	case bytes.HasPrefix(b, []byte("BM")) && len(b) >= 26:
		return size(binary.LittleEndian.Uint32(b[18:]), binary.LittleEndian.Uint32(b[22:]))
	case len(b) >= 12 && string(b[4:8]) == "ftyp":
		return heifSize(b)
	}
	return 0, 0, false
}

func size(w, h uint32) (int, int, bool) {
	if h > 1<<31 {
		h = -h // bitmaps may be stored top down, with a negative height
	}
	return int(w), int(h), w > 0 && h > 0
}

// jpegSize walks the segments up to the start of frame.
func jpegSize(b []byte) (int, int, bool) {
	for pos := 2; pos+9 < len(b); {
		if b[pos] != 0xff {
			return 0, 0, false
		}
		marker := b[pos+1]
		switch {
		case marker == 0xff:
			pos++
			continue
		case marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc:
			return size(uint32(binary.BigEndian.Uint16(b[pos+7:])), uint32(binary.BigEndian.Uint16(b[pos+5:])))
		case marker == 0xd9 || marker == 0xda:
			return 0, 0, false
		}
		pos += 2 + int(binary.BigEndian.Uint16(b[pos+2:]))
	}
	return 0, 0, false
}

func webpSize(b []byte) (int, int, bool) {
	le24 := func(p []byte) uint32 { return uint32(p[0]) | uint32(p[1])<<8 | uint32(p[2])<<16 }
	switch string(b[12:16]) {
	case "VP8 ":
		return size(uint32(binary.LittleEndian.Uint16(b[26:])&0x3fff), uint32(binary.LittleEndian.Uint16(b[28:])&0x3fff))
	case "VP8L":
		bits := binary.LittleEndian.Uint32(b[21:])
		return size(bits&0x3fff+1, bits>>14&0x3fff+1)
	case "VP8X":
		return size(le24(b[24:])+1, le24(b[27:])+1)
	}
	return 0, 0, false
}

// heifSize takes the largest "ispe" property: the picture is larger than its thumbnails and tiles.
func heifSize(b []byte) (width, height int, ok bool) {
	b = b[:min(len(b), 64<<10)]
	for {
		i := bytes.Index(b, []byte("ispe"))
		if i < 0 || i+16 > len(b) {
			return width, height, ok
		}
		w, h, good := size(binary.BigEndian.Uint32(b[i+8:]), binary.BigEndian.Uint32(b[i+12:]))
		if good && w*h > width*height {
			width, height, ok = w, h, true
		}
		b = b[i+16:]
	}
}
