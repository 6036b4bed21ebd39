package assay

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"sync"
	"time"
)

// Prefixes of ids, one a kind.
const (
	PrefixUser         = "usr_"
	PrefixAPIKey       = "key_"
	PrefixSession      = "ses_"
	PrefixInteraction  = "int_"
	PrefixVerification = "ver_"
	PrefixRequest      = "req_"
	PrefixAudit        = "aud_"
	PrefixTransaction  = "txn_"
	PrefixDeposit      = "dep_"
	PrefixLogin        = "log_"
	PrefixCampaign     = "val_" // of validation
	PrefixRun          = "run_" // of a campaign
)

// idEncoding is base32 with the extended hex alphabet in lower case: it sorts as
// its bytes do, and is safe in host names, file names and cgroup names.
var idEncoding = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

var ids struct {
	sync.Mutex
	last [16]byte
}

// NewID returns a new id: the prefix and 26 characters, of which the first 48 bits
// are the time in milliseconds and the other 80 are random. Ids made by one
// process sort in the order in which they were made, also within a millisecond.
func NewID(prefix string) string {
	var id [16]byte
	rand.Read(id[:])
	binary.BigEndian.PutUint64(id[:8], uint64(time.Now().UnixMilli())<<16|uint64(binary.BigEndian.Uint16(id[6:8])))

	ids.Lock()
	defer ids.Unlock()
	if string(id[:6]) <= string(ids.last[:6]) {
		id = ids.last
		for i := len(id) - 1; i >= 0; i-- { // the same millisecond, or the clock went back: count on
			id[i]++
			if id[i] != 0 {
				break
			}
		}
	}
	ids.last = id
	return prefix + idEncoding.EncodeToString(id[:])
}
