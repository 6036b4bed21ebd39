package main

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"strconv"

	"github.com/alecthomas/kong"

	"assay"
	"assay/internal/billing"
)

type userCreditCmd struct {
	localFlags
	User   string `arg:"" name:"user" help:"Id of the user."`
	Cents  string `arg:"" name:"cents" help:"How much, such as 500 or 0.5."`
	Reason string `required:"" placeholder:"TEXT" help:"Why; the user sees it."`
	Take   bool   `help:"Take it away in place of giving it."`
	Key    string `placeholder:"KEY" help:"With the same key it is done once, however often it is asked for."`
	JSON   bool   `name:"json" help:"Print JSON."`
}

func (*userCreditCmd) Help() string {
	return `The money is the house's: it comes from the account of promotions. Both the ledger and the audit log tell of it.

    assay user credit usr_... 500 --reason "for the workshop"`
}

// creditJSON is what user credit --json prints.
type creditJSON struct {
	TransactionID   string `json:"transaction_id"`
	UserID          string `json:"user_id"`
	AmountMicroUSD  int64  `json:"amount_microusd"`
	BalanceMicroUSD int64  `json:"balance_microusd"`
}

func (c *userCreditCmd) Run(ctx context.Context, parsed *kong.Context, std stdio) (err error) {
	amount, err := parseCents(c.Cents)
	if err != nil {
		return usageError{err}
	}
	if c.Take {
		amount = -amount
	}
	a, err := c.openExisting(ctx, parsed)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	posted, err := a.Billing.Credit(ctx, c.User, amount, c.Reason, c.Key)
	if err != nil {
		return err
	}
	b, err := a.Billing.Ledger(ctx, c.User)
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(std.out, creditJSON{posted.ID, c.User, int64(posted.Amount), int64(b.Balance)})
	}
	_, err = fmt.Fprintf(std.out, "transaction  %s\namount       %s\nbalance      %s\n", posted.ID, posted.Amount, b.Balance)
	return err
}

// parseCents reads an amount above zero: cents, with at most four decimals.
func parseCents(text string) (assay.MicroUSD, error) {
	cents, ok := new(big.Rat).SetString(text)
	if ok {
		cents.Mul(cents, big.NewRat(int64(assay.MicrosPerCent), 1))
	}
	if !ok || cents.Sign() <= 0 || !cents.IsInt() || !cents.Num().IsInt64() {
		return 0, fmt.Errorf("cents: %q is not an amount above zero, such as 500 or 0.5", text)
	}
	return assay.MicroUSD(cents.Num().Int64()), nil
}

type billingCheckCmd struct {
	localFlags
	JSON bool `name:"json" help:"Print JSON."`
}

func (*billingCheckCmd) Help() string {
	return `Reads the whole ledger, beside a running server or without one, and proves it: no page of a SQLite file is damaged, the entries of each transaction sum to zero,
cached balances and totals are what their entries add up to, each session is billed once for its full ready seconds at
its price, each payment is credited once, and what was refunded or disputed was taken back once. Exit status 1 if
anything is not so.`
}

// booksJSON is what billing check --json prints.
type booksJSON struct {
	OK           bool              `json:"ok"`
	Users        int64             `json:"users"`
	Transactions int64             `json:"transactions"`
	Entries      int64             `json:"entries"`
	Sessions     int64             `json:"sessions_billed"`
	Deposits     int64             `json:"deposits_paid"`
	Findings     []billing.Finding `json:"findings"`
}

func (c *billingCheckCmd) Run(ctx context.Context, parsed *kong.Context, std stdio) (err error) {
	a, err := c.openExisting(ctx, parsed)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	if err := a.CheckDamage(ctx); err != nil { // sums of pages that cannot be trusted prove nothing
		return err
	}
	books, err := a.Billing.Check(ctx)
	if err != nil {
		return err
	}
	if err := c.print(std, books); err != nil {
		return err
	}
	if len(books.Findings) > 0 {
		return exitError{status: exitFailed}
	}
	return nil
}

func (c *billingCheckCmd) print(std stdio, b billing.Books) error {
	if c.JSON {
		findings := b.Findings
		if findings == nil {
			findings = []billing.Finding{}
		}
		return writeJSON(std.out, booksJSON{len(findings) == 0, b.Users, b.Transactions, b.Entries, b.Sessions, b.Deposits, findings})
	}
	t := newTable(std.out, "USERS", "TRANSACTIONS", "ENTRIES", "SESSIONS BILLED", "DEPOSITS PAID")
	n := func(v int64) string { return strconv.FormatInt(v, 10) }
	t.row(n(b.Users), n(b.Transactions), n(b.Entries), n(b.Sessions), n(b.Deposits))
	if err := t.flush(); err != nil {
		return err
	}
	for _, f := range b.Findings {
		fmt.Fprintf(std.out, "\nNOT SO: %s\n  %s (%s)\n", f.Rule, f.Subject, f.Detail)
	}
	if len(b.Findings) == 0 {
		fmt.Fprintln(std.out, "\nThe books are in order.")
	}
	return nil
}
