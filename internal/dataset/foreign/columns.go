package foreign

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"strings"
	"time"
)

// columns reads the columns of a row, whatever type they were stored with, and
// collects what is wrong in them. Names are found in the case that is asked for, or
// in the other one.
type columns struct {
	row         map[string]any
	dir         fs.FS // the folder that the file lies in
	faults      []Fault
	unsupported string
	noCommand   string // why no command is known that judges the row
	network     bool
	steps       StepsTaken // of its commands, that were taken out
	laysTests   bool       // its commands still lay the tests
}

func (c *columns) fault(column, format string, args ...any) {
	c.faults = append(c.faults, Fault{column, fmt.Sprintf(format, args...)})
}

// cannotJudge says why the row is unsupported. The first reason is kept.
func (c *columns) cannotJudge(format string, args ...any) {
	if c.unsupported == "" {
		c.unsupported = fmt.Sprintf(format, args...)
	}
}

// value returns a column, and the name that it has in this row.
func (c *columns) value(name string) (string, any) {
	for _, n := range []string{name, strings.ToLower(name), strings.ToUpper(name)} {
		if v, ok := c.row[n]; ok {
			return n, v
		}
	}
	return name, nil
}

// text returns a column that holds a string; "" for null and for none.
func (c *columns) text(name string) string {
	name, v := c.value(name)
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case []byte:
		return string(v)
	}
	c.fault(name, "is %s, not a string", kindOf(v))
	return ""
}

// need returns a column that holds a string which is not empty.
func (c *columns) need(name string) string {
	s := c.text(name)
	if s == "" {
		c.fault(name, "is empty or not there")
	}
	return s
}

// tests returns a list of names of tests, each once, in the order of the row: a list,
// or a string that holds one in JSON.
func (c *columns) tests(name string) []string {
	return unique(c.list(name, func(text string) (any, error) {
		var v any
		err := json.Unmarshal([]byte(text), &v)
		return v, err
	}, "JSON"))
}

// pythonList is list, of a string that holds a list or tuple as Python writes it.
func (c *columns) pythonList(name string) []string {
	return c.list(name, parsePython, "Python")
}

// list returns a list of strings. A string is read with parse.
func (c *columns) list(name string, parse func(string) (any, error), language string) []string {
	name, v := c.value(name)
	if text, ok := v.(string); ok {
		if strings.TrimSpace(text) == "" {
			return []string{}
		}
		parsed, err := parse(text)
		if err != nil {
			c.fault(name, "the string does not hold a list of strings in %s: %v", language, err)
			return []string{}
		}
		v = parsed
	}
	names := []string{}
	switch v := v.(type) {
	case nil:
	case []any:
		for i, e := range v {
			s, ok := e.(string)
			if !ok {
				c.fault(name, "element %d is %s, not a string", i+1, kindOf(e))
				return names
			}
			names = append(names, s)
		}
	default:
		c.fault(name, "is %s, not a list", kindOf(v))
	}
	return names
}

// object returns a column that holds an object, or a string that holds one in JSON;
// empty for null and for none.
func (c *columns) object(name string) map[string]any {
	name, v := c.value(name)
	if text, ok := v.(string); ok {
		v = nil
		if text != "" {
			if err := json.Unmarshal([]byte(text), &v); err != nil {
				c.fault(name, "the string does not hold an object in JSON: %v", err)
				return nil
			}
		}
	}
	m, ok := v.(map[string]any)
	if !ok && v != nil {
		c.fault(name, "is %s, not an object", kindOf(v))
	}
	return m
}

// within returns a reader of an object of the row, whose faults are found here.
func (c *columns) within(name string) *columns {
	return &columns{row: c.object(name)}
}

// adopt takes over the faults of a part of the row.
func (c *columns) adopt(part *columns, name string) {
	for _, f := range part.faults {
		c.faults = append(c.faults, Fault{name + "." + f.Column, f.Message})
	}
}

// timeLayouts are the ways in which public datasets write a time. Those without a
// zone mean UTC.
var timeLayouts = []string{time.RFC3339Nano, "2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02"}

// time returns a column that holds a time as text, or as milliseconds since 1970; the
// zero time when it holds none.
func (c *columns) time(name string) time.Time {
	name, v := c.value(name)
	switch v := v.(type) {
	case nil:
		return time.Time{}
	case time.Time:
		return v.UTC()
	case string:
		if v == "" {
			return time.Time{}
		}
		for _, layout := range timeLayouts {
			if t, err := time.Parse(layout, v); err == nil {
				return t.UTC()
			}
		}
	default:
		if ms, err := wholeNumber(v); err == nil {
			if t := time.UnixMilli(ms).UTC(); t.Year() >= 1970 && t.Year() <= 9999 {
				return t
			}
		}
	}
	c.fault(name, "%v is not a time", v)
	return time.Time{}
}

var errNotWhole = errors.New("not a whole number")

// wholeNumber reads a number as JSON or Parquet give it.
func wholeNumber(v any) (int64, error) {
	switch v := v.(type) {
	case json.Number:
		return v.Int64()
	case int64:
		return v, nil
	case int32:
		return int64(v), nil
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return int64(v), nil
		}
	}
	return 0, errNotWhole
}

// kindOf names the type of a value for people.
func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string:
		return "a string"
	case bool:
		return "a truth value"
	case []any:
		return "a list"
	case map[string]any:
		return "an object"
	}
	return "a number"
}

// unique returns names, each once, in their order.
func unique(names []string) []string {
	seen := make(map[string]bool, len(names))
	once := make([]string, 0, len(names))
	for _, name := range names {
		if !seen[name] {
			seen[name] = true
			once = append(once, name)
		}
	}
	return once
}
