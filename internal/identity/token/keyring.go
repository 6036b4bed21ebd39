package token

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
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

// Keyring is the keys that sign access tokens, in a file:
//
//	{"keys": [
//	  {"id": "Zk3...", "created_at": "2026-03-01T12:00:00Z", "private": "<base64>"},
//	  {"id": "q9T...", "created_at": "...", "public": "<base64>", "retired_at": "..."}
//	]}
//
// The first one signs; the others are what it replaced, of which only the public half
// is left, and which check what they signed before they were retired. The file is
// replaced as a whole: a Keyring sees a rotation by another process within a second.
// It is safe for concurrent use.
type Keyring struct {
	path string
	now  func() time.Time

	mu      sync.Mutex
	keys    []key
	file    fs.FileInfo // as it was when keys were read
	checked time.Time   // when the file was last compared
	probed  time.Time   // when it was last read for the sake of an unknown key
}

const (
	// checkEvery is how often the file is looked at, and at most read because of
	// tokens whose key is not known.
	checkEvery = time.Second
	// retiredFor is how long a replaced key checks tokens: as long as one lives, and
	// some more for servers that signed with it until they saw its successor.
	retiredFor = Lifetime + 5*time.Minute
	// maxKeyringBytes bounds the file.
	maxKeyringBytes = 1 << 20
)

// key is one key as the file has it.
type key struct {
	ID        string     `json:"id"`
	CreatedAt time.Time  `json:"created_at"`
	RetiredAt *time.Time `json:"retired_at,omitempty"`
	Private   []byte     `json:"private,omitempty"` // the seed, 32 bytes; of the first key alone
	Public    []byte     `json:"public,omitempty"`  // of the others

	check ed25519.PublicKey  // made of either when the file is read
	sign  ed25519.PrivateKey // made of Private
}

// keyringFile is the content of the file.
type keyringFile struct {
	Keys []key `json:"keys"`
}

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
		return nil, fmt.Errorf("open the keys of access tokens: %w", err)
	}
	return k, nil
}

// makeFirst stores a first key, unless another process was quicker.
func (k *Keyring) makeFirst() error {
	tmp, err := k.writeBeside([]key{newKey(k.now())})
	if err != nil {
		return err
	}
	defer os.Remove(tmp)
	if err := os.Link(tmp, k.path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// Rotate makes a new key that signs from now on. The older ones check tokens for as
// long as those can live; with forget they check nothing from now on, which ends every
// access token. It returns the new key's id. The caller sees to it that no other
// process rotates at the same time.
func (k *Keyring) Rotate(forget bool) (id string, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.read(); err != nil {
		return "", fmt.Errorf("read the keys of access tokens: %w", err)
	}
	now := k.now().UTC()
	keys := []key{newKey(now)}
	for _, old := range k.keys {
		if old.RetiredAt == nil {
			old.RetiredAt, old.Public, old.Private = &now, old.check, nil
		}
		if !forget && old.checks(now) {
			keys = append(keys, old)
		}
	}
	tmp, err := k.writeBeside(keys)
	if err != nil {
		return "", fmt.Errorf("store the keys of access tokens: %w", err)
	}
	defer os.Remove(tmp) // gone when it was renamed
	if err := os.Rename(tmp, k.path); err != nil {
		return "", fmt.Errorf("store the keys of access tokens: %w", err)
	}
	return keys[0].ID, k.read()
}

// signer returns the key that signs.
func (k *Keyring) signer() (id string, private ed25519.PrivateKey) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.refresh()
	return k.keys[0].ID, k.keys[0].sign
}

// checker returns the public half of the key id, if that still checks tokens.
func (k *Keyring) checker(id string) (ed25519.PublicKey, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.refresh()
	public, ok := k.find(id)
	if now := k.now(); !ok && now.Sub(k.probed) >= checkEvery {
		k.probed, k.checked = now, time.Time{} // another server may have signed with a key that is new
		k.refresh()
		public, ok = k.find(id)
	}
	return public, ok
}

func (k *Keyring) find(id string) (ed25519.PublicKey, bool) {
	now := k.now()
	for _, key := range k.keys {
		if key.ID == id {
			return key.check, key.checks(now)
		}
	}
	return nil, false
}

// refresh reads the file again if it changed, and looks once in checkEvery. A file that
// cannot be read leaves the keys as they are: whoever wrote it hears of it.
func (k *Keyring) refresh() {
	now := k.now()
	if now.Sub(k.checked) < checkEvery {
		return
	}
	k.checked = now
	file, err := os.Stat(k.path)
	if err == nil && !sameVersion(file, k.file) {
		k.read() //nolint:errcheck // see above
	}
}

// sameVersion tells whether a file was not written, nor replaced.
func sameVersion(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size()
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
	var content keyringFile
	if err := json.Unmarshal(text, &content); err != nil {
		return fmt.Errorf("%s is damaged: restore it, or remove it to have a new key made: %w", k.path, err)
	}
	for i := range content.Keys {
		if err := content.Keys[i].prepare(i == 0); err != nil {
			return fmt.Errorf("%s is damaged: restore it, or remove it to have a new key made: %w", k.path, err)
		}
	}
	if len(content.Keys) == 0 {
		return fmt.Errorf("%s holds no key; remove it to have a new one made", k.path)
	}
	k.keys, k.file = content.Keys, info
	return nil
}

// writeBeside writes keys to a new file beside the keyring's, safe on the disk, and
// returns its name.
func (k *Keyring) writeBeside(keys []key) (name string, err error) {
	text, err := json.MarshalIndent(keyringFile{keys}, "", "  ")
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

func newKey(now time.Time) key {
	public, private, _ := ed25519.GenerateKey(nil) // from crypto/rand, which does not fail
	sum := sha256.Sum256(public)
	return key{ID: base64.RawURLEncoding.EncodeToString(sum[:12]), CreatedAt: now.UTC(), Private: private.Seed()}
}

// checks tells whether the key checks tokens at the time now.
func (k *key) checks(now time.Time) bool {
	return k.RetiredAt == nil || now.Before(k.RetiredAt.Add(retiredFor))
}

// prepare makes a key of what the file has, for the first key of the file or another.
func (k *key) prepare(first bool) error {
	switch {
	case k.ID == "":
		return errors.New("a key has no id")
	case first && len(k.Private) == ed25519.SeedSize && k.RetiredAt == nil:
		k.sign = ed25519.NewKeyFromSeed(k.Private)
		k.check = k.sign.Public().(ed25519.PublicKey)
	case !first && len(k.Public) == ed25519.PublicKeySize && k.RetiredAt != nil:
		k.check = k.Public
	default:
		return fmt.Errorf("key %s is neither the first, which signs, nor retired", k.ID)
	}
	return nil
}
