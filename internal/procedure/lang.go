package procedure

import "strings"

func isChinese(tag string) bool {
	primary, _, _ := strings.Cut(strings.ToLower(strings.ReplaceAll(tag, "_", "-")), "-")
	return primary == "zh"
}
