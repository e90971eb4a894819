package authentic

import (
	"slices"
	"strings"
	"testing"
)

func TestT4_5_WhatDeceivesTheEyeIsNamed(t *testing.T) {
	brands := []Brand{{Name: "OKPay", Domains: []string{"okpay.example", "okpay.com"}}, {Name: "财付通", Domains: []string{"tenpay.com"}}}
	tests := []struct {
		name, address string
		want          []string // codes
	}{
		{"Li Wei", "li@example.com", nil},
		{"OKPay Support", "support@okpay.example", nil},
		{"OKPay Support", "support@mail.okpay.com", nil},
		{"support@bank.com", "x@evil.example", []string{"name-address"}},
		{"support＠bank.com", "x@evil.example", []string{"name-address"}},
		{"support@okpay.example via web", "x@evil.example", []string{"name-address", "name-brand"}},
		{"X@Evil.example", "x@evil.example", nil},
		{"OKPay Support", "x@evil.example", []string{"name-brand"}},
		{"O.K. Pay security", "x@evil.example", []string{"name-brand"}},
		{"ОКРау", "x@evil.example", []string{"name-brand"}}, // Cyrillic
		{"ｏｋｐａｙ", "x@evil.example", []string{"name-brand"}},
		{"财付通客服", "x@evil.example", []string{"name-brand"}},
		{"\u202Eyapko", "x@evil.example", []string{"name-invisible"}},
		{"Li\u200BWei", "x@evil.example", []string{"name-invisible"}},
		{"O\u200BK\u200BPay", "x@evil.example", []string{"name-invisible", "name-brand"}},
		{"", "x\u202E@evil.example", []string{"address-invisible"}},
		{"", "x@bücher.example", []string{"domain-idn"}},
		{"", "x@xn--bcher-kva.example", []string{"domain-idn"}},
		{"", "x@okpаy.example", []string{"domain-idn", "domain-mixed", "domain-lookalike"}}, // Cyrillic а
		{"", "x@раураӏ.example", []string{"domain-idn", "domain-confusable"}},               // all Cyrillic
		{"", "x@支付ab.example", []string{"domain-idn"}},
		{"", "x@okpay.net", []string{"domain-lookalike"}},
		{"", "x@0kpay.com", []string{"domain-lookalike"}},
		{"", "x@okpay-support.com", []string{"domain-lookalike"}},
		{"", "x@secure-okpay.com", []string{"domain-lookalike"}},
		{"", "x@okpya.com", []string{"domain-lookalike"}},
		{"", "x@okppay.com", []string{"domain-lookalike"}},
		{"", "x@tenpay.com.evil.example", nil},
		{"", "x@tempay.com", []string{"domain-lookalike"}},
		{"", "x@example.org", nil},
		{"", "x@qq.com", nil},
	}
	for _, tt := range tests {
		got := Warnings(From{Fields: 1, Addresses: 1, Name: tt.name, Address: tt.address}, brands)
		var codes []string
		for _, w := range got {
			code, _, _ := strings.Cut(w, ":")
			if !slices.Contains(codes, code) {
				codes = append(codes, code)
			}
		}
		slices.Sort(codes)
		want := slices.Clone(tt.want)
		slices.Sort(want)
		if !slices.Equal(codes, want) {
			t.Errorf("%q <%s>: %q, want %q", tt.name, tt.address, got, tt.want)
		}
	}
}

func TestT4_5_CountsAndGroups(t *testing.T) {
	got := Warnings(From{Fields: 2, Addresses: 3, Address: "a@example.com", Group: true}, nil)
	if !slices.Contains(got, "from-count") || !slices.Contains(got, "group") {
		t.Errorf("%q", got)
	}
	if got := Warnings(From{}, nil); !slices.Equal(got, []string{"from-count"}) {
		t.Errorf("no From: %q", got)
	}
}

func TestT4_5_TheALabelIsShown(t *testing.T) {
	got := Warnings(From{Fields: 1, Addresses: 1, Address: "x@okpаy.example"}, nil)
	if !slices.Contains(got, "domain-idn: xn--okpy-73d.example") {
		t.Errorf("%q", got)
	}
}

func FuzzWarnings(f *testing.F) {
	f.Add("OKPay", "x@evil.example")
	f.Add("a@b", "@")
	f.Add("\xff", "x@xn--\xff.x")
	brands := []Brand{{Name: "OKPay", Domains: []string{"okpay.example"}}, {}}
	f.Fuzz(func(t *testing.T, name, address string) {
		for _, w := range Warnings(From{Fields: 1, Addresses: 1, Name: name, Address: address}, brands) {
			if w == "" {
				t.Error("empty warning")
			}
		}
	})
}
