package alteration

import "strings"

// numbers returns variants of a number that keep its base and its width: one more, one
// less, another digit. A fraction changes in its last digit.
func (s *search) numbers(text string) []string {
	digits, from, to := s.mantissa(text)
	var at []int
	for i := from; i < to; i++ {
		if strings.IndexByte(digits, lower(text[i])) >= 0 {
			at = append(at, i)
		}
	}
	if len(at) == 0 {
		return nil
	}
	var list []string
	steps := []int{1, -1}
	if s.rng.IntN(2) == 0 {
		steps = []int{-1, 1}
	}
	for _, step := range steps {
		if v, ok := addTo(text, at, digits, step); ok {
			list = append(list, v)
		}
	}
	// A digit in the middle; of a number of one digit, another.
	n := at[len(at)/2]
	if digit := digits[s.rng.IntN(len(digits))]; lower(text[n]) != digit && (digit != '0' || n != at[0] || len(at) == 1) {
		v := []byte(text)
		v[n] = like(text[n], digit)
		list = append(list, string(v))
	}
	return list
}

// mantissa returns the digits of a number's base, and where its digits stand.
func (s *search) mantissa(text string) (digits string, from, to int) {
	for _, base := range s.lang.Digits {
		if len(text) > len(base.Prefix) && strings.EqualFold(text[:len(base.Prefix)], base.Prefix) {
			to = len(text)
			if p := strings.IndexAny(text, "pP"); p >= 0 {
				to = p
			}
			if !strings.Contains(base.Digits, "a") {
				for to > len(base.Prefix) && text[to-1]|0x20 >= 'a' {
					to--
				}
			}
			return base.Digits, len(base.Prefix), to
		}
	}
	to = 0
	for to < len(text) && (text[to] >= '0' && text[to] <= '9' || text[to] == '_' || text[to] == '.') {
		to++
	}
	digits = "0123456789"
	if len(text) > 1 && text[0] == '0' && !strings.Contains(text, ".") { // octal, in most languages
		digits = "01234567"
	}
	return digits, 0, to
}

// addTo adds one to a number or takes one away, digit by digit, unless it gets wider,
// narrower or negative.
func addTo(text string, at []int, digits string, step int) (string, bool) {
	v := []byte(text)
	for n := len(at) - 1; n >= 0; n-- {
		d := strings.IndexByte(digits, lower(v[at[n]])) + step
		if d >= 0 && d < len(digits) {
			v[at[n]] = like(v[at[n]], digits[d])
			// 10 becomes 09: another width, and in some languages another base.
			return string(v), n > 0 || d != 0 || len(at) == 1
		}
		v[at[n]] = digits[(d+len(digits))%len(digits)]
	}
	return "", false
}

func lower(b byte) byte {
	if b >= 'A' && b <= 'Z' {
		return b | 0x20
	}
	return b
}

// like writes a digit in the case of another.
func like(old, digit byte) byte {
	if old >= 'A' && old <= 'F' && digit >= 'a' {
		return digit &^ 0x20
	}
	return digit
}
