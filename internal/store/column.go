package store

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"assay"
)

// toMicros is how a time is stored: microseconds since 1970.
func toMicros(t time.Time) int64 { return t.UnixMicro() }

func fromMicros(us int64) time.Time { return time.UnixMicro(us).UTC() }

// stored is the time as it will be read again.
func stored(t time.Time) time.Time { return fromMicros(toMicros(t)) }

func toMicrosOrNull(t *time.Time) sql.NullInt64 {
	if t == nil {
		return sql.NullInt64{}
	}
	return sql.NullInt64{Int64: toMicros(*t), Valid: true}
}

func fromMicrosOrNull(us sql.NullInt64) *time.Time {
	if !us.Valid {
		return nil
	}
	t := fromMicros(us.Int64)
	return &t
}

// toNull is how a text is stored whose empty value means that there is none.
func toNull(text string) sql.NullString { return sql.NullString{String: text, Valid: text != ""} }

func toInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// toText makes a message of ours fit to be stored: it may quote what a sandbox said.
func toText(message string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(message, "\x00", "\uFFFD"), "\uFFFD")
}

// failureColumns are the two columns of a failure that may be none.
func failureColumns(f *assay.Failure) (code, message sql.NullString) {
	if f == nil {
		return sql.NullString{}, sql.NullString{}
	}
	return sql.NullString{String: string(f.Code), Valid: true}, sql.NullString{String: toText(f.Message), Valid: true}
}

func failureOf(code, message sql.NullString) *assay.Failure {
	if !code.Valid {
		return nil
	}
	return &assay.Failure{Code: assay.Code(code.String), Message: message.String}
}

func toJSON(v any) (string, error) {
	text, err := json.Marshal(v)
	return string(text), err
}

func fromJSON(text string, column string, v any) error {
	if err := json.Unmarshal([]byte(text), v); err != nil {
		return fmt.Errorf("decode column %s: %w", column, err)
	}
	return nil
}
