package app

import (
	"os"
	"sync"
	"testing"
)

// A server and a verb of the command line that begin at the same time seal with one key.
func TestASecretIsMadeOnce(t *testing.T) {
	for range 50 {
		dir := dataDir(t.TempDir())
		const at = 8
		var keys [at][]byte
		var all sync.WaitGroup
		for i := range at {
			all.Go(func() {
				var err error
				if keys[i], err = dir.secret("some.key"); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		for _, k := range keys {
			if len(k) != 32 || string(k) != string(keys[0]) {
				t.Fatalf("two keys: %x and %x", k, keys[0])
			}
		}
		files, err := os.ReadDir(string(dir))
		if err != nil || len(files) != 1 {
			t.Fatalf("left: %v, %v", files, err)
		}
		if info, err := files[0].Info(); err != nil || info.Mode() != 0o600 {
			t.Errorf("mode %v, %v", info.Mode(), err)
		}
	}
}
