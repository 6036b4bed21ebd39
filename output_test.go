package assay_test

import (
	"testing"
	"unicode/utf8"

	"assay"
)

func TestNewOutput(t *testing.T) {
	for _, tt := range []struct {
		name, head, tail string
		total            int64
		want             assay.Output
	}{
		{"whole", "ab", "cd", 4, assay.Output{Text: "abcd", Bytes: 4}},
		{"a character on the seam of a whole stream", "\xc3", "\xa4", 2, assay.Output{Text: "ä", Bytes: 2}},
		{"no UTF-8", "a\xffb", "", 3, assay.Output{Text: "a\uFFFDb", Bytes: 3}},
		{"cut", "ab", "yz", 26, assay.Output{Text: "abyz", Bytes: 26, Truncated: true}},
		{"cut through characters", "a\xe2\x82", "\xac!", 99, assay.Output{Text: "a!", Bytes: 99, Truncated: true}},
		{"empty", "", "", 0, assay.Output{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := assay.NewOutput([]byte(tt.head), []byte(tt.tail), tt.total); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func FuzzNewOutputIsUTF8(f *testing.F) {
	f.Add([]byte("a\xff"), []byte("\x80b"), int64(9))
	f.Fuzz(func(t *testing.T, head, tail []byte, cut int64) {
		total := int64(len(head)+len(tail)) + max(0, cut%1000)
		if got := assay.NewOutput(head, tail, total); !utf8.ValidString(got.Text) {
			t.Errorf("%q is no UTF-8", got.Text)
		}
	})
}
