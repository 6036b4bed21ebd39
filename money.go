package assay

import (
	"fmt"
	"math/big"
	"strings"
	"time"
)

// MicroUSD is an amount of money in millionths of a US dollar. All money is kept and
// added up in it; a second of a session costs a fraction of a cent.
type MicroUSD int64

// MicrosPerCent is one cent.
const MicrosPerCent MicroUSD = 10_000

// FromCents returns an amount of whole cents.
func FromCents(cents int64) MicroUSD { return MicroUSD(cents) * MicrosPerCent }

// Cents rounds to whole cents, half away from zero.
func (m MicroUSD) Cents() int64 {
	half := MicrosPerCent / 2
	if m < 0 {
		half = -half
	}
	return int64((m + half) / MicrosPerCent)
}

// String is the exact amount in dollars: "-$0.000167".
func (m MicroUSD) String() string {
	sign, n := "", uint64(m)
	if m < 0 {
		sign, n = "-", -n
	}
	frac := strings.TrimRight(fmt.Sprintf("%06d", n%1_000_000), "0")
	for len(frac) < 2 {
		frac += "0"
	}
	return fmt.Sprintf("%s$%d.%s", sign, n/1_000_000, frac)
}

// CostOf is the price of a ready time: its full seconds at perMinute, rounded to a
// millionth, half away from zero. A second that was only begun is not billed.
func CostOf(ready time.Duration, perMinute MicroUSD) MicroUSD {
	seconds := int64(ready / time.Second)
	if seconds <= 0 || perMinute <= 0 {
		return 0
	}
	cost := new(big.Int).Mul(big.NewInt(seconds), big.NewInt(int64(perMinute)))
	cost.Add(cost, big.NewInt(30)).Div(cost, big.NewInt(60))
	return MicroUSD(cost.Int64())
}
