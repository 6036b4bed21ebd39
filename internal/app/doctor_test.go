package app

import (
	"database/sql"
	"net/url"
	"strings"
	"testing"

	"assay/internal/store/pgtest"
)

// What serve would not migrate, doctor does not call fit.
func TestDoctorRefusesADatabaseThatSortsByLanguage(t *testing.T) {
	server := pgtest.New(t)
	first := server.Database(t)
	db, err := sql.Open("pgx", first)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), `CREATE DATABASE by_language TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en' LOCALE 'C'`); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(first)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/by_language"
	cfg := Config{DataDir: t.TempDir(), DatabaseURL: u.String()}
	if found, err := doctorDatabase(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "LOCALE 'C'") || strings.Contains(err.Error(), "see that it runs") {
		t.Errorf("doctor finds %q, %v", found, err)
	}
	if _, err := CheckSchema(t.Context(), cfg); err == nil {
		t.Error("migrate --check finds nothing")
	}
}
