package store_test

import (
	"database/sql"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay"
	"assay/internal/store"
)

// table is what a table is like, in words that both engines share.
type table struct {
	Columns  []string // in order
	Primary  string   // columns of the primary key
	Unique   []string // columns of unique constraints
	Indexes  []string // that have a name
	Foreign  []string // keys
	Triggers []string // by name
	Checks   int      // how many there are
}

// TestBothEnginesHaveTheSameSchema compares what the migrations make of each.
func TestBothEnginesHaveTheSameSchema(t *testing.T) {
	file, server := open(t, newFile(t)), open(t, migrated.Database(t))
	inFile, inServer := sqliteTables(t, file.Writer()), postgresTables(t, server.Writer())
	if len(inFile) == 0 {
		t.Fatal("there are no tables")
	}
	if diff := cmp.Diff(inFile, inServer); diff != "" {
		t.Errorf("SQLite -, PostgreSQL +:\n%s", diff)
	}
}

// list returns the rows of a query of one column, sorted.
func list(t *testing.T, db *sql.DB, query string, args ...any) []string {
	t.Helper()
	all := ordered(t, db, query, args...)
	slices.Sort(all)
	return all
}

// ordered returns the rows of a query of one column as they come.
func ordered(t *testing.T, db *sql.DB, query string, args ...any) []string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query, args...)
	must(t, err)
	defer rows.Close()
	var all []string
	for rows.Next() {
		var one string
		must(t, rows.Scan(&one))
		all = append(all, one)
	}
	must(t, rows.Err())
	return all
}

// first returns the first of the rows; "" when there are none.
func first(rows []string) string {
	if len(rows) == 0 {
		return ""
	}
	return rows[0]
}

func sqliteTables(t *testing.T, db *sql.DB) map[string]table {
	t.Helper()
	tables := map[string]table{}
	for _, name := range list(t, db, `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE 'goose%'`) {
		text := first(list(t, db, `SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = $1`, name))
		tables[name] = table{
			Columns: ordered(t, db, `SELECT name || ' ' || lower(type) || CASE WHEN "notnull" THEN ' not null' ELSE '' END ||
				CASE WHEN dflt_value IS NULL THEN '' ELSE ' default' END FROM pragma_table_info($1) ORDER BY cid`, name),
			Primary: first(list(t, db, `SELECT coalesce(group_concat(name, ', '), '') FROM (SELECT name FROM pragma_table_info($1) WHERE pk > 0 ORDER BY pk)`, name)),
			Unique: list(t, db, `SELECT (SELECT group_concat(name, ', ') FROM (SELECT name FROM pragma_index_info(i.name) ORDER BY seqno))
				FROM pragma_index_list($1) i WHERE origin = 'u'`, name),
			Indexes: sqliteIndexes(t, db, name),
			Foreign: list(t, db, `SELECT group_concat("from", ', ') || ' -> ' || "table" || ' (' || group_concat("to", ', ') || ')'
				FROM (SELECT * FROM pragma_foreign_key_list($1) ORDER BY id, seq) GROUP BY id, "table"`, name),
			Triggers: list(t, db, `SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = $1`, name),
			Checks:   strings.Count(text, "CHECK"),
		}
	}
	return tables
}

func sqliteIndexes(t *testing.T, db *sql.DB, name string) []string {
	t.Helper()
	all := list(t, db, `SELECT i.name || CASE WHEN i."unique" THEN ' unique' ELSE '' END || ' (' ||
			(SELECT group_concat(name, ', ') FROM (SELECT name FROM pragma_index_info(i.name) ORDER BY seqno)) || ')' ||
			CASE WHEN i.partial THEN substr(s.sql, instr(s.sql, ' WHERE ')) ELSE '' END
		FROM pragma_index_list($1) i JOIN sqlite_schema s ON s.name = i.name WHERE i.origin = 'c'`, name)
	for i := range all {
		all[i] = plain(all[i])
	}
	return all
}

func postgresTables(t *testing.T, db *sql.DB) map[string]table {
	t.Helper()
	const (
		ofTable = `%s.oid = c.conrelid AND c.conrelid = to_regclass($1)`
		columns = `(SELECT string_agg(a.attname, ', ' ORDER BY k.n) FROM unnest(c.%s) WITH ORDINALITY k(num, n)
			JOIN pg_attribute a ON a.attrelid = c.%s AND a.attnum = k.num)`
	)
	constraints := func(kind, what, name string) []string {
		return list(t, db, `SELECT `+what+` FROM pg_constraint c JOIN pg_class t ON `+fmt.Sprintf(ofTable, "t")+` WHERE c.contype = '`+kind+`'`, name)
	}
	own := fmt.Sprintf(columns, "conkey", "conrelid")
	tables := map[string]table{}
	for _, name := range list(t, db, `SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE 'goose%'`) {
		tables[name] = table{
			Columns: ordered(t, db, `SELECT column_name || ' ' || data_type || CASE is_nullable WHEN 'NO' THEN ' not null' ELSE '' END ||
				CASE WHEN column_default IS NULL THEN '' ELSE ' default' END
				FROM information_schema.columns WHERE table_schema = 'public' AND table_name = $1 ORDER BY ordinal_position`, name),
			Primary:  first(constraints("p", own, name)),
			Unique:   constraints("u", own, name),
			Indexes:  postgresIndexes(t, db, name),
			Foreign:  constraints("f", own+` || ' -> ' || c.confrelid::regclass || ' (' || `+fmt.Sprintf(columns, "confkey", "confrelid")+` || ')'`, name),
			Triggers: list(t, db, `SELECT tgname FROM pg_trigger WHERE tgrelid = to_regclass($1) AND NOT tgisinternal`, name),
			Checks:   len(constraints("c", "c.conname", name)),
		}
	}
	return tables
}

func postgresIndexes(t *testing.T, db *sql.DB, name string) []string {
	t.Helper()
	all := list(t, db, `SELECT x.indexrelid::regclass || CASE WHEN x.indisunique THEN ' unique' ELSE '' END || ' (' ||
			(SELECT string_agg(pg_get_indexdef(x.indexrelid, n, true), ', ' ORDER BY n) FROM generate_series(1, x.indnkeyatts) n) || ')' ||
			coalesce(' WHERE ' || pg_get_expr(x.indpred, x.indrelid, true), '')
		FROM pg_index x WHERE x.indrelid = to_regclass($1) AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = x.indexrelid AND c.contype <> 'f')`, name)
	for i := range all {
		all[i] = plain(all[i])
	}
	return all
}

var anyOf = regexp.MustCompile(`= ANY \(ARRAY\[(.*?)\]\)`)

// plain writes the text of an index as we do: PostgreSQL gives it back with its types,
// and IN as = ANY.
func plain(index string) string {
	index = strings.ReplaceAll(index, "::text", "")
	return strings.Join(strings.Fields(anyOf.ReplaceAllString(index, "IN ($1)")), " ")
}

// appendOnly are the tables whose rows are never changed or removed, each with the
// columns and values of a row.
var appendOnly = []struct{ table, columns, values string }{
	{"audit_log", "id, at, actor, action, user_id, subject, address, detail", "'aud_1', 1, 'operator', 'login', '', '', '', ''"},
	{
		"ledger_transactions",
		"id, user_id, seq, type, amount, against, idem_key, created_at, description, seconds, deposits, deposit_sum, usages, usage_sum, refunds, refund_sum, charges, charge_sum, usage_seconds",
		"'txn_1', 'usr_1', 1, 'deposit', 5, 'promotions', 'k', 1, '', 0, 1, 5, 0, 0, 0, 0, 0, 0, 0",
	},
	{"ledger_entries", "transaction_id, account_id, amount", "'txn_1', 'promotions', -5"},
}

// refusal is what a trigger says, or what PostgreSQL says of a table that others
// refer to.
var refusal = regexp.MustCompile(`is append-only|cannot truncate a table referenced in a foreign key constraint`)

func TestAppendOnlyTablesRefuseEveryChange(t *testing.T) {
	onEach(t, func(t *testing.T, database string) {
		s := open(t, database)
		must(t, s.InsertUser(t.Context(), &assay.User{ID: "usr_1"}, assay.AuditEvent{}))
		for _, tt := range appendOnly {
			_, err := s.Writer().Exec(`INSERT INTO ` + tt.table + ` (` + tt.columns + `) VALUES (` + tt.values + `)`)
			must(t, err)
			column, _, _ := strings.Cut(tt.columns, ",")
			changes := []string{`UPDATE ` + tt.table + ` SET ` + column + ` = ` + column, `DELETE FROM ` + tt.table}
			if strings.HasPrefix(database, "postgres://") {
				changes = append(changes, `TRUNCATE `+tt.table, `TRUNCATE `+tt.table+` CASCADE`)
			} else {
				changes = append(changes, `REPLACE INTO `+tt.table+` (`+tt.columns+`) VALUES (`+tt.values+`)`)
			}
			for _, change := range changes {
				if _, err := s.Writer().Exec(change); err == nil || !refusal.MatchString(err.Error()) {
					t.Errorf("%s: got %v, want a refusal", change, err)
				}
			}
			var rows int
			must(t, s.Writer().QueryRow(`SELECT count(*) FROM `+tt.table).Scan(&rows))
			if rows != 1 {
				t.Errorf("%s has %d rows, want 1", tt.table, rows)
			}
		}
	})
}

// TestSchemaHasOneVersionForEachStep holds the folders of the migrations together: what
// one engine has for itself, the other must have under the same version.
func TestSchemaHasOneVersionForEachStep(t *testing.T) {
	var before []store.Versions
	for _, database := range []string{newFile(t), migrated.Database(t)} {
		open(t, database)
		v, err := store.CheckVersions(t.Context(), database, store.Options{})
		must(t, err)
		before = append(before, v)
	}
	if diff := cmp.Diff(before[0], before[1]); diff != "" {
		t.Error(diff)
	}
}
