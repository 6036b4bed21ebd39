package assay

import (
	"strings"
	"unicode/utf8"
)

// Output is one stream of a command as it is kept: valid UTF-8, at most
// OutputLimit bytes of it, the first and the last half.
type Output struct {
	Text      string
	Bytes     int64 // written by the command
	Truncated bool
}

// OutputLimit is how many bytes of each stream of a command are kept.
const OutputLimit = 1 << 20

// NewOutput makes a captured stream fit to be shown: its first and last bytes, of total
// that were written. Bytes that are no UTF-8 become U+FFFD. A character that the cut
// between head and tail went through is left out.
func NewOutput(head, tail []byte, total int64) Output {
	if total <= int64(len(head))+int64(len(tail)) {
		return Output{Text: strings.ToValidUTF8(string(head)+string(tail), "\uFFFD"), Bytes: total}
	}
	for range utf8.UTFMax - 1 {
		if r, size := utf8.DecodeLastRune(head); r != utf8.RuneError || size != 1 {
			break
		}
		head = head[:len(head)-1]
	}
	for range utf8.UTFMax - 1 {
		if len(tail) == 0 || utf8.RuneStart(tail[0]) {
			break
		}
		tail = tail[1:]
	}
	return Output{
		Text:      strings.ToValidUTF8(string(head), "\uFFFD") + strings.ToValidUTF8(string(tail), "\uFFFD"),
		Bytes:     total,
		Truncated: true,
	}
}
