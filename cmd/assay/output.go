package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
	"unicode/utf8"
)

// writeJSON prints one JSON document for programs.
func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// writeLine prints a JSON document in a line.
func writeLine(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// table prints rows in columns.
type table struct{ w *tabwriter.Writer }

func newTable(w io.Writer, head ...string) *table {
	t := &table{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	t.row(head...)
	return t
}

func (t *table) row(cells ...string) { fmt.Fprintln(t.w, strings.Join(cells, "\t")) }

func (t *table) flush() error { return t.w.Flush() }

// plain makes a text that an agent may have written fit for a terminal: nothing of it
// moves the cursor, begins a line, or turns the direction in which it is read.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return utf8.RuneError
		}
		return r
	}, text)
}

// when prints a time for people, in UTC as the API does.
func when(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}

// whenever is when for a time that may not have come.
func whenever(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return when(*t)
}

// dash stands for an empty text in a table.
func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// percent prints a share that may not be known. It is rounded down: 100% are all.
func percent(share *float64) string {
	if share == nil {
		return "-"
	}
	return strconv.FormatFloat(math.Floor(*share*1000)/10, 'f', -1, 64) + "%"
}

// number prints a number that may not be known.
func number(n *int) string {
	if n == nil {
		return "-"
	}
	return strconv.Itoa(*n)
}
