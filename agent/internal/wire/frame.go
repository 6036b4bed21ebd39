// Package wire is what the guest agent and its client say to each other.
//
// A connection carries one exchange at a time, as often as both like. Everything
// is a frame: a kind, a length (4 bytes, big-endian), a payload.
//
//	request   Head            what to do, as JSON (Request)
//	          Data*           what goes with it: a layer, the strings of an edit
//	          End
//	answer    (Head Data*)*   JSON, and the bytes that belong to it
//	          End | Fail      Fail carries an Error
//
// An answer counts only when its last frame was seen, so a connection that breaks
// is never taken for a result.
package wire

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Protocol is the version of everything in this package. Both sides refuse
// another one; the layout of frames, Request.Protocol and Fail stay for ever, so
// that they can say so.
const Protocol = 2

// Bounds of a frame's payload, in bytes.
const (
	MaxHead = 8 << 20
	MaxData = 64 << 10
)

type kind byte

const (
	head kind = 'H'
	data kind = 'D'
	end  kind = 'E'
	fail kind = 'X'
)

// fits tells whether k is a kind of frame that can carry size bytes.
func (k kind) fits(size uint32) bool {
	switch k {
	case head, fail:
		return size <= MaxHead
	case data:
		return size <= MaxData
	case end:
		return size == 0
	}
	return false
}

const headerSize = 5

// Conn reads and writes frames. One goroutine may read while another writes.
type Conn struct {
	r *bufio.Reader
	w *bufio.Writer

	kind kind // of the frame whose payload comes next, 0 when its header was not read yet
	left int  // bytes of its payload that were not read yet
}

// NewConn speaks over rw.
func NewConn(rw io.ReadWriter) *Conn {
	return &Conn{r: bufio.NewReaderSize(rw, 4<<10), w: bufio.NewWriterSize(rw, 4<<10)}
}

// WriteHead buffers a Head frame. It is too large beyond MaxHead.
func (c *Conn) WriteHead(v any) error { return c.writeJSON(head, v) }

// WriteData buffers p in as many Data frames as it takes.
func (c *Conn) WriteData(p []byte) error {
	for len(p) > 0 {
		n := min(len(p), MaxData)
		if err := c.writeFrame(data, p[:n]); err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}

// ReadFrom sends all of r in Data frames.
func (c *Conn) ReadFrom(r io.Reader) (int64, error) {
	buf := make([]byte, MaxData)
	var sent int64
	for {
		n, err := r.Read(buf)
		if n > 0 {
			if werr := c.writeFrame(data, buf[:n]); werr != nil {
				return sent, &SendError{werr}
			}
			sent += int64(n)
		}
		if errors.Is(err, io.EOF) {
			return sent, nil
		}
		if err != nil {
			return sent, err
		}
	}
}

// SendError is a fault of the connection, not of the reader that was sent over it.
type SendError struct{ Err error }

func (e *SendError) Error() string { return e.Err.Error() }
func (e *SendError) Unwrap() error { return e.Err }

// WriteEnd ends a request or an answer and sends what is buffered.
func (c *Conn) WriteEnd() error {
	if err := c.writeFrame(end, nil); err != nil {
		return err
	}
	return c.w.Flush()
}

// WriteFail ends an answer with an error and sends what is buffered.
func (c *Conn) WriteFail(e *Error) error {
	if err := c.writeJSON(fail, e); err != nil {
		return err
	}
	return c.w.Flush()
}

func (c *Conn) writeJSON(k kind, v any) error {
	p, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if len(p) > MaxHead {
		return &Error{Code: CodeTooLarge, Message: fmt.Sprintf("message of %d bytes, at most %d are sent", len(p), MaxHead)}
	}
	return c.writeFrame(k, p)
}

func (c *Conn) writeFrame(k kind, p []byte) error {
	var h [headerSize]byte
	h[0] = byte(k)
	binary.BigEndian.PutUint32(h[1:], uint32(len(p)))
	if _, err := c.w.Write(h[:]); err != nil {
		return err
	}
	_, err := c.w.Write(p)
	return err
}

// Idle waits until the other side says something, or hangs up: io.EOF.
func (c *Conn) Idle() error {
	_, err := c.r.Peek(1)
	return err
}

// ReadHead reads a Head frame into v. A Fail frame is returned as its *Error.
func (c *Conn) ReadHead(v any) error {
	if err := c.peek(); err != nil {
		return err
	}
	if c.kind != head {
		return c.unexpected()
	}
	p, err := c.payload()
	if err != nil {
		return err
	}
	if err := json.Unmarshal(p, v); err != nil {
		return fmt.Errorf("decode %T: %w", v, err)
	}
	return nil
}

// More tells whether another Head follows, or else the End, which it leaves to
// ReadEnd. A Fail frame is returned as its *Error.
func (c *Conn) More() (bool, error) {
	if err := c.peek(); err != nil {
		return false, err
	}
	if c.kind != head && c.kind != end {
		return false, c.unexpected()
	}
	return c.kind == head, nil
}

// ReadEnd reads the End of an exchange.
func (c *Conn) ReadEnd() error {
	if err := c.peek(); err != nil {
		return err
	}
	if c.kind != end {
		return c.unexpected()
	}
	c.kind = 0
	return nil
}

// Read reads the payload of Data frames and returns io.EOF at the first frame of
// another kind, which it leaves to ReadHead, More and ReadEnd.
func (c *Conn) Read(p []byte) (int, error) {
	for {
		if err := c.peek(); err != nil {
			return 0, err
		}
		if c.kind == fail {
			return 0, c.unexpected()
		}
		if c.kind != data {
			return 0, io.EOF
		}
		if c.left > 0 {
			break
		}
		c.kind = 0
	}
	n, err := c.r.Read(p[:min(len(p), c.left)])
	if c.left -= n; c.left == 0 {
		c.kind = 0
	}
	return n, whole(err)
}

// peek reads the header of the next frame unless that was done.
func (c *Conn) peek() error {
	if c.kind != 0 {
		return nil
	}
	h, err := c.r.Peek(headerSize)
	if err != nil {
		return whole(err)
	}
	k, size := kind(h[0]), binary.BigEndian.Uint32(h[1:])
	if !k.fits(size) {
		return fmt.Errorf("frame of kind %q with %d bytes", byte(k), size)
	}
	if _, err := c.r.Discard(headerSize); err != nil {
		return err
	}
	c.kind, c.left = k, int(size)
	return nil
}

// payload reads the whole payload of the current frame. Memory grows as it
// comes, whatever length was announced.
func (c *Conn) payload() ([]byte, error) {
	p, err := io.ReadAll(io.LimitReader(c.r, int64(c.left)))
	if err == nil && len(p) < c.left {
		err = io.ErrUnexpectedEOF
	}
	c.kind, c.left = 0, 0
	return p, err
}

func (c *Conn) unexpected() error {
	if c.kind != fail {
		return fmt.Errorf("unexpected frame of kind %q", byte(c.kind))
	}
	p, err := c.payload()
	if err != nil {
		return err
	}
	e := new(Error)
	if err := json.Unmarshal(p, e); err != nil {
		return fmt.Errorf("decode error: %w", err)
	}
	return e
}

// whole turns the end of the stream inside an exchange into an error.
func whole(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
