package body

import (
	"maps"
	"strconv"
	"strings"
)

// look is what is known of how an element would be shown: enough to tell text that a reader cannot see.
type look struct {
	gone      bool // the element and all in it are not shown
	invisible bool // visibility, which a descendant may take back
	size      float64
	opacity   float64
	fg, bg    colour
}

func startLook() look {
	return look{size: 16, opacity: 1, fg: colour{0, 0, 0, true}, bg: colour{255, 255, 255, true}}
}

// hidden reports text that no reader of the mail sees.
func (l look) hidden() bool {
	return l.gone || l.invisible || l.size < 2 || l.opacity < 0.06 || l.fg.near(l.bg)
}

// inside returns the look of an element within l, from its name, its attributes and the style sheet's declarations.
func (l look) inside(tag string, attr map[string]string, sheet []style) look {
	if neverShown(tag) {
		l.gone = true
		return l
	}
	if _, ok := attr["open"]; tag == "dialog" && !ok {
		l.gone = true
	}
	if len(attr) == 0 && len(sheet) == 0 {
		return l
	}
	if _, ok := attr["hidden"]; ok {
		l.gone = true
	}
	if c, ok := parseColour(attr["bgcolor"]); ok {
		l.bg = c
	}
	if _, ok := attr["background"]; ok {
		l.bg.known = false
	}
	switch tag {
	case "font", "basefont":
		if c, ok := parseColour(attr["color"]); ok {
			l.fg = c
		}
	case "body":
		if c, ok := parseColour(attr["text"]); ok {
			l.fg = c
		}
	}
	return l.styled(append(sheet, declarations(attr["style"])))
}

// neverShown reports elements whose content mail programs do not show.
func neverShown(tag string) bool {
	switch tag {
	case "script", "style", "title", "template", "noscript", "iframe", "noembed", "noframes", "svg", "math", "datalist":
		return true
	}
	return false
}

func (l look) styled(sets []style) look {
	d := sets[0]
	if len(sets) > 1 {
		d = style{}
	}
	for _, set := range sets[:len(sets)-1] {
		maps.Copy(d, set)
	}
	if len(sets) > 1 {
		maps.Copy(d, sets[len(sets)-1])
	}
	if len(d) == 0 {
		return l
	}
	if d["display"] == "none" || d["mso-hide"] == "all" || d["content-visibility"] == "hidden" {
		l.gone = true
	}
	switch d["visibility"] {
	case "hidden", "collapse":
		l.invisible = true
	case "visible":
		l.invisible = false
	}
	if v, ok := d["opacity"]; ok {
		if f, err := strconv.ParseFloat(strings.TrimSuffix(v, "%"), 64); err == nil {
			if strings.HasSuffix(v, "%") {
				f /= 100
			}
			l.opacity *= f
		}
	}
	if clipped(d) || offScreen(d) {
		l.gone = true
	}
	l.size = fontSize(d, l.size)
	return l.coloured(d)
}

// clipped reports boxes with no room for their content.
func clipped(d style) bool {
	if strings.HasPrefix(d["overflow"], "hidden") || strings.HasPrefix(d["overflow-y"], "hidden") {
		for _, k := range []string{"height", "max-height", "width", "max-width"} {
			if v, ok := d[k]; ok && tiny(v) {
				return true
			}
		}
	}
	placed := d["position"] == "absolute" || d["position"] == "fixed"
	clip := strings.ReplaceAll(strings.ReplaceAll(d["clip"], " ", ""), ",", "")
	if placed && (clip == "rect(0000)" || clip == "rect(0px0px0px0px)" || clip == "rect(1px1px1px1px)") {
		return true
	}
	path := strings.ReplaceAll(d["clip-path"], " ", "")
	if strings.HasPrefix(path, "inset(50%") || strings.HasPrefix(path, "inset(100%") || strings.HasPrefix(path, "circle(0") {
		return true
	}
	return strings.Contains(strings.ReplaceAll(d["transform"], " ", ""), "scale(0)")
}

func offScreen(d style) bool {
	far := func(k string) bool {
		v, ok := length(d[k], 16)
		return ok && (v <= -300 || v >= 3000)
	}
	if far("text-indent") || far("margin-left") || far("margin-top") {
		return true
	}
	if d["position"] == "" || d["position"] == "static" {
		return false
	}
	return far("left") || far("top") || far("right") || far("bottom")
}

func tiny(v string) bool {
	f, ok := length(v, 16)
	return ok && f <= 1
}

func fontSize(d style, inherited float64) float64 {
	if v, ok := d["font-size"]; ok {
		if f, ok := length(v, inherited); ok {
			return f
		}
		switch v {
		case "xx-small", "x-small", "small", "medium", "large", "x-large", "xx-large", "initial":
			return 16
		}
	}
	for word := range strings.FieldsSeq(d["font"]) {
		word, _, _ = strings.Cut(word, "/")
		if f, ok := length(word, inherited); ok && (f == 0 || hasUnit(word)) {
			return f
		}
	}
	return inherited
}

func hasUnit(v string) bool { return v != "" && (v[len(v)-1] < '0' || v[len(v)-1] > '9') }

// length returns a CSS length in pixels; em and % are of the inherited size.
func length(v string, em float64) (float64, bool) {
	n := 0
	for n < len(v) && strings.IndexByte("+-.0123456789", v[n]) >= 0 {
		n++
	}
	f, err := strconv.ParseFloat(v[:n], 64)
	if err != nil {
		return 0, false
	}
	switch v[n:] {
	case "", "px":
		return f, true
	case "pt":
		return f * 4 / 3, true
	case "em":
		return f * em, true
	case "rem", "ex", "ch":
		return f * 16, true
	case "%":
		return f / 100 * em, true
	case "vw", "vh":
		return f * 10, true
	case "cm":
		return f * 38, true
	case "mm":
		return f * 3.8, true
	case "in":
		return f * 96, true
	}
	return 0, false
}

func (l look) coloured(d style) look {
	if v, ok := d["background"]; ok {
		l.bg = background(v, l.bg)
	}
	if v, ok := d["background-color"]; ok {
		if c, ok := parseColour(v); ok {
			l.bg = c
		} else if v != "transparent" && v != "inherit" {
			l.bg.known = false
		}
	}
	if v, ok := d["background-image"]; ok && v != "none" {
		l.bg.known = false
	}
	if v, ok := d["color"]; ok {
		if v == "transparent" {
			l.invisible = true
		} else if c, ok := parseColour(v); ok {
			l.fg = c
		} else if v != "inherit" {
			l.fg.known = false
		}
	}
	return l
}

func background(v string, under colour) colour {
	if strings.Contains(v, "url(") || strings.Contains(v, "gradient") {
		return colour{}
	}
	if c, ok := parseColour(v); ok {
		return c
	}
	for word := range strings.FieldsSeq(v) {
		if c, ok := parseColour(word); ok {
			return c
		}
	}
	return under
}

type colour struct {
	r, g, b int
	known   bool
}

// near reports colours that no eye tells apart on a screen.
func (c colour) near(o colour) bool {
	const same = 10
	return c.known && o.known && abs(c.r-o.r) <= same && abs(c.g-o.g) <= same && abs(c.b-o.b) <= same
}

func abs(n int) int { return max(n, -n) }

func parseColour(v string) (colour, bool) {
	v = strings.ToLower(strings.TrimSpace(v))
	switch {
	case v == "":
		return colour{}, false
	case v[0] == '#':
		return hexColour(v[1:])
	case strings.HasPrefix(v, "rgb"):
		return rgbColour(v)
	case len(v) == 6 && strings.Trim(v, "0123456789abcdef") == "":
		return hexColour(v) // bgcolor=ffffff
	}
	c, ok := namedColour(v)
	return c, ok
}

func hexColour(v string) (colour, bool) {
	if len(v) == 3 || len(v) == 4 {
		v = string([]byte{v[0], v[0], v[1], v[1], v[2], v[2]})
	}
	if len(v) != 6 && len(v) != 8 {
		return colour{}, false
	}
	n, err := strconv.ParseUint(v[:6], 16, 32)
	if err != nil {
		return colour{}, false
	}
	return colour{int(n >> 16), int(n >> 8 & 255), int(n & 255), true}, true
}

func rgbColour(v string) (colour, bool) {
	_, args, ok := strings.Cut(strings.TrimSuffix(v, ")"), "(")
	part := strings.FieldsFunc(args, func(r rune) bool { return r == ',' || r == ' ' || r == '/' })
	if !ok || len(part) < 3 {
		return colour{}, false
	}
	var n [3]int
	for i := range n {
		f, err := strconv.ParseFloat(strings.TrimSuffix(part[i], "%"), 64)
		if err != nil {
			return colour{}, false
		}
		if strings.HasSuffix(part[i], "%") {
			f *= 2.55
		}
		n[i] = int(f)
	}
	return colour{n[0], n[1], n[2], true}, true
}

func namedColour(v string) (colour, bool) {
	switch v {
	case "white":
		return colour{255, 255, 255, true}, true
	case "black":
		return colour{0, 0, 0, true}, true
	case "snow":
		return colour{255, 250, 250, true}, true
	case "ghostwhite":
		return colour{248, 248, 255, true}, true
	case "whitesmoke":
		return colour{245, 245, 245, true}, true
	case "ivory":
		return colour{255, 255, 240, true}, true
	case "red":
		return colour{255, 0, 0, true}, true
	case "blue":
		return colour{0, 0, 255, true}, true
	case "green":
		return colour{0, 128, 0, true}, true
	case "yellow":
		return colour{255, 255, 0, true}, true
	case "gray", "grey":
		return colour{128, 128, 128, true}, true
	case "silver":
		return colour{192, 192, 192, true}, true
	case "navy":
		return colour{0, 0, 128, true}, true
	case "orange":
		return colour{255, 165, 0, true}, true
	}
	return colour{}, false
}
