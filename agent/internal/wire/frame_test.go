package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"

	"assay/internal/sandbox"
)

func TestExchange(t *testing.T) {
	var buf bytes.Buffer
	w := NewConn(&buf)
	content := bytes.Repeat([]byte("0123456789"), 20_000)
	must(t, w.WriteHead(Request{Protocol: Protocol, Op: OpExec, Path: []byte("\xff")}))
	_, err := w.ReadFrom(bytes.NewReader(content))
	must(t, err)
	must(t, w.WriteHead(File{Size: 3}))
	must(t, w.WriteData([]byte("abc")))
	must(t, w.WriteEnd())
	whole := buf.Bytes()

	r := NewConn(bytes.NewBuffer(whole))
	var req Request
	must(t, r.ReadHead(&req))
	got, err := io.ReadAll(r)
	must(t, err)
	if req.Op != OpExec || string(req.Path) != "\xff" || !bytes.Equal(got, content) {
		t.Errorf("%+v, %d bytes", req, len(got))
	}
	if more, err := r.More(); err != nil || !more {
		t.Fatalf("more %v, %v", more, err)
	}
	var f File
	must(t, r.ReadHead(&f))
	got, err = io.ReadAll(r)
	must(t, err)
	if f.Size != 3 || string(got) != "abc" {
		t.Errorf("%+v %q", f, got)
	}
	must(t, r.ReadEnd())

	// However much of it is missing, it is not taken for the whole.
	for n := range len(whole) {
		if n > 100 && n < len(whole)-100 && n%1000 != 0 {
			continue
		}
		if err := readAll(NewConn(bytes.NewBuffer(whole[:n:n]))); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("%d bytes of %d: %v", n, len(whole), err)
		}
	}
}

// readAll reads one exchange.
func readAll(c *Conn) error {
	for {
		var v Request
		if err := c.ReadHead(&v); err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, c); err != nil {
			return err
		}
		more, err := c.More()
		if err != nil {
			return err
		}
		if !more {
			return c.ReadEnd()
		}
	}
}

func TestErrorsCross(t *testing.T) {
	for _, sentinel := range []error{sandbox.ErrUnknownCommand, sandbox.ErrTooLarge, sandbox.ErrGone, fs.ErrNotExist} {
		var buf bytes.Buffer
		c := NewConn(&buf)
		must(t, c.WriteFail(AsError(fmt.Errorf("read x: %w", sentinel))))
		err := c.ReadEnd()
		if !errors.Is(err, sentinel) || !strings.HasPrefix(err.Error(), "read x: ") {
			t.Errorf("%v arrived as %v", sentinel, err)
		}
	}
	if e := AsError(errors.New("other")); e.Code != CodeInternal || errors.Is(e, sandbox.ErrGone) {
		t.Errorf("%+v", e)
	}
	if e := AsError(fmt.Errorf("x: %w", &Error{Code: CodeBusy, Message: "y"})); e.Code != CodeBusy || e.Message != "x: y" {
		t.Errorf("%+v", e)
	}
}

func FuzzRead(f *testing.F) {
	var buf bytes.Buffer
	c := NewConn(&buf)
	must(f, c.WriteHead(Request{Op: OpHello}))
	must(f, c.WriteData([]byte("data")))
	must(f, c.WriteEnd())
	f.Add(buf.Bytes())
	f.Add([]byte("D\xff\xff\xff\xff"))
	f.Add([]byte("H\x00\x80\x00\x00{"))
	f.Add([]byte("X\x00\x00\x00\x02{}"))
	f.Fuzz(func(t *testing.T, p []byte) {
		if err := readAll(NewConn(bytes.NewBuffer(p))); err == nil && !bytes.Contains(p, []byte("E\x00\x00\x00\x00")) {
			t.Error("taken for whole without an end")
		}
	})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
