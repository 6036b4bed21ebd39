package attest

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"
	"time"
)

// Keyring is the keys that sign verdicts, in a file:
//
//	{"keys": [
//	  {"created_at": "2026-03-01T12:00:00Z", "private": "<base64>"},
//	  {"created_at": "...", "retired_at": "...", "public": "<base64>"}
//	]}
//
// The first one signs. The others are what it replaced, of which the public half is kept
// for ever: what they signed stays signed. The file is replaced as a whole, and read
// again for each use, so that a rotation by another process is seen at once; one that
// cannot be read leaves the keys as they are. A Keyring is safe for concurrent use.
type Keyring struct {
	path string
	now  func() time.Time

	mu   sync.Mutex
	keys []ringKey
}

// ringKey is one key as the file has it.
type ringKey struct {
	CreatedAt time.Time  `json:"created_at"`
	RetiredAt *time.Time `json:"retired_at,omitempty"`
	Private   []byte     `json:"private,omitempty"` // the seed; of the first key alone
	Public    []byte     `json:"public,omitempty"`  // of the others
}

type ringFile struct {
	Keys []ringKey `json:"keys"`
}

// maxKeyringBytes bounds the file.
const maxKeyringBytes = 1 << 20

// OpenKeyring opens the keyring in the file path, which it makes with a first key and
// mode 0600 when it is absent. Now defaults to time.Now.
func OpenKeyring(path string, now func() time.Time) (*Keyring, error) {
	if now == nil {
		now = time.Now
	}
	k := &Keyring{path: path, now: now}
	err := k.read()
	if errors.Is(err, fs.ErrNotExist) {
		if err = k.makeFirst(); err == nil {
			err = k.read()
		}
	}
	if err != nil {
		return nil, fmt.Errorf("open the keys of verdicts: %w", err)
	}
	return k, nil
}

// makeFirst stores a first key, unless another process was quicker.
func (k *Keyring) makeFirst() error {
	tmp, err := k.writeBeside([]ringKey{k.generate()})
	if err != nil {
		return err
	}
	defer os.Remove(tmp)
	if err := os.Link(tmp, k.path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

func (k *Keyring) generate() ringKey {
	_, private, _ := ed25519.GenerateKey(nil) // from crypto/rand, which does not fail
	return ringKey{CreatedAt: k.now().UTC(), Private: private.Seed()}
}

// Rotate makes a new key that signs from now on, and returns its id. With forget, as
// after a leak, the older keys check nothing any more. The caller sees to it that no other
// process rotates at the same time.
func (k *Keyring) Rotate(forget bool) (id string, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.read(); err != nil {
		return "", fmt.Errorf("read the keys of verdicts: %w", err)
	}
	now := k.now().UTC()
	keys := []ringKey{k.generate()}
	for _, old := range k.keys {
		if old.RetiredAt == nil {
			old.RetiredAt, old.Public, old.Private = &now, old.public(), nil
		}
		if !forget {
			keys = append(keys, old)
		}
	}
	tmp, err := k.writeBeside(keys)
	if err != nil {
		return "", fmt.Errorf("store the keys of verdicts: %w", err)
	}
	defer os.Remove(tmp) // gone when it was renamed
	if err := os.Rename(tmp, k.path); err != nil {
		return "", fmt.Errorf("store the keys of verdicts: %w", err)
	}
	k.keys = keys
	return newKey(keys[0].public()).ID, nil
}

// Sign returns an envelope of a payload, which Open takes.
func (k *Keyring) Sign(payloadType string, payload []byte) []byte {
	key := k.current()[0]
	return seal(payloadType, payload, newKey(key.public()).ID, ed25519.NewKeyFromSeed(key.Private))
}

// Public returns the public halves of all keys, the one that signs first.
func (k *Keyring) Public() KeySet {
	var set KeySet
	for _, key := range k.current() {
		set.Keys = append(set.Keys, newKey(key.public()))
	}
	return set
}

func (k *Keyring) current() []ringKey {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.read() //nolint:errcheck // see Keyring: whoever wrote what cannot be read hears of it
	return k.keys
}

func (k ringKey) public() ed25519.PublicKey {
	if k.RetiredAt == nil {
		return ed25519.NewKeyFromSeed(k.Private).Public().(ed25519.PublicKey)
	}
	return k.Public
}

// read reads the file.
func (k *Keyring) read() error {
	f, err := os.Open(k.path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("%s may be read by others (mode %04o); run: chmod 600 %s", k.path, mode, k.path)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxKeyringBytes))
	if err != nil {
		return err
	}
	var content ringFile
	if err := json.Unmarshal(text, &content); err != nil {
		return fmt.Errorf("%s is damaged; restore it from a copy: %w", k.path, err)
	}
	for i, key := range content.Keys {
		signs := len(key.Private) == ed25519.SeedSize && key.RetiredAt == nil
		checks := len(key.Public) == ed25519.PublicKeySize && key.RetiredAt != nil
		if i == 0 && !signs || i > 0 && !checks {
			return fmt.Errorf("%s is damaged; restore it from a copy: its key %d is neither the first, which signs, nor retired", k.path, i+1)
		}
	}
	if len(content.Keys) == 0 {
		return fmt.Errorf("%s holds no key; restore it from a copy", k.path)
	}
	k.keys = content.Keys
	return nil
}

// writeBeside writes keys to a new file beside the keyring's, safe on the disk, and
// returns its name.
func (k *Keyring) writeBeside(keys []ringKey) (name string, err error) {
	text, err := json.MarshalIndent(ringFile{keys}, "", "  ")
	if err != nil {
		return "", err
	}
	name = k.path + "." + strings.ToLower(rand.Text())
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", err
	}
	_, err = f.Write(append(text, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		os.Remove(name)
		return "", err
	}
	return name, nil
}
