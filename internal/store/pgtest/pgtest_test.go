package pgtest

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// envChild makes a child process of these tests start a server and wait.
const envChild = "ASSAY_TEST_PGTEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(envChild) != "" {
		s, err := start()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(s.dir)
		select {}
	}
	os.Exit(Stopping(m).Run())
}

// TestServerEndsWithAKilledBinary kills a process that has a server.
func TestServerEndsWithAKilledBinary(t *testing.T) {
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), envChild+"=1")
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatalf("the child did not start its server: %v", child.Wait())
	}
	dir := lines.Text()
	defer os.RemoveAll(dir)
	socket := filepath.Join(dir, ".s.PGSQL.5432")
	if !answers(socket) {
		t.Fatal("the server does not answer")
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // always an error: it was killed

	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for deadline := time.Now().Add(20 * time.Second); answers(socket); <-look.C {
		if time.Now().After(deadline) {
			t.Fatal("the server still answers")
		}
	}
}

func answers(socket string) bool {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

// TestCopiesOfATemplateAreApart writes to one copy and looks at another.
func TestCopiesOfATemplateAreApart(t *testing.T) {
	filled := 0
	template := Template{Fill: func(ctx context.Context, url string) error {
		filled++
		_, err := ask(ctx, url, `CREATE TABLE things AS SELECT 1 AS n`)
		return err
	}}
	first, second := template.Database(t), template.Database(t)
	if _, err := ask(t.Context(), first, `INSERT INTO things VALUES (2)`); err != nil {
		t.Fatal(err)
	}
	n, err := ask(t.Context(), second, `SELECT * FROM things`)
	if err != nil {
		t.Fatal(err)
	}
	if n != 1 || filled != 1 {
		t.Errorf("the other copy has %d rows, and the template was filled %d times; want 1 and 1", n, filled)
	}
}

// ask runs a statement and returns how many rows it was about.
func ask(ctx context.Context, url, statement string) (rows int64, err error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return 0, err
	}
	defer conn.Close(ctx)
	tag, err := conn.Exec(ctx, statement)
	return tag.RowsAffected(), err
}
