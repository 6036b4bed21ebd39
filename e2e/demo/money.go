package main

import (
	"context"
	"encoding/json"
	"fmt"

	"assay"
	"assay/client"
	"assay/e2e/harness"
)

// startCents is what the user of the demo is given to begin with.
const startCents = "500"

// credit gives the user of the demo money, and says what it has and what things cost.
func credit(ctx context.Context, program harness.Program, user harness.User, api *client.Client) error {
	if _, err := program.Run(ctx, "user", "credit", user.UserID, startCents, "--reason", "for the demo"); err != nil {
		return err
	}
	balance, err := api.Balance(ctx)
	if err != nil {
		return err
	}
	price, err := api.Pricing(ctx, "starter")
	if err != nil {
		return err
	}
	say("balance %s; a session costs %s a minute, by the second", assay.MicroUSD(balance.BalanceMicroUSD), assay.MicroUSD(price.CostPerMinuteMicroUSD))
	return nil
}

// proof is the answer of assay billing check.
type proof struct {
	OK           bool  `json:"ok"`
	Transactions int64 `json:"transactions"`
	Entries      int64 `json:"entries"`
	Sessions     int64 `json:"sessions_billed"`
}

// settle says what was spent, and proves it: the costs of the sessions, the balance and
// the ledger must agree to the last millionth of a dollar.
func settle(ctx context.Context, program harness.Program, api *client.Client, rows []row) error {
	var spent assay.MicroUSD
	for _, r := range rows {
		spent += r.cost
	}
	balance, err := api.Balance(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("\nbalance %s = %s given - %s spent on %d sessions\n", assay.MicroUSD(balance.BalanceMicroUSD),
		assay.MicroUSD(balance.TotalDepositedMicroUSD), assay.MicroUSD(balance.TotalSpentMicroUSD), len(rows))
	if got := assay.MicroUSD(balance.TotalSpentMicroUSD); got != spent || balance.BalanceMicroUSD != balance.TotalDepositedMicroUSD-balance.TotalSpentMicroUSD {
		return fmt.Errorf("the sessions cost %s, and the balance says that %s were spent", spent, got)
	}
	out, err := program.Run(ctx, "billing", "check", "--json")
	if err != nil {
		return fmt.Errorf("the books are not in order: %w", err)
	}
	var p proof
	if err := json.Unmarshal(out, &p); err != nil || !p.OK {
		return fmt.Errorf("the books are not in order: %s", out)
	}
	fmt.Printf("ledger  proved: %d transactions, %d entries that sum to zero, %d sessions billed once for their ready seconds\n", p.Transactions, p.Entries, p.Sessions)
	return nil
}
