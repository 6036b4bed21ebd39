// Command fakes is the world around a server, for tests that are not written in Go: a
// GitHub with one account, and a Stripe. It prints the settings of a server that is to
// use them, as a JSON object of environment variables, and lives until its standard
// input is closed.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"assay/internal/github/githubtest"
	"assay/internal/stripe/stripetest"
)

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "fakes:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	gh := githubtest.New()
	defer gh.Close()
	gh.AddUser(githubtest.Verified("octocat", "octocat@assay.invalid"))
	stripe := stripetest.New(stripetest.Config{})
	defer stripe.Close()
	err := json.NewEncoder(out).Encode(map[string]string{
		"ASSAY_GITHUB_CLIENT_ID":      githubtest.ClientID,
		"ASSAY_GITHUB_CLIENT_SECRET":  githubtest.ClientSecret,
		"ASSAY_GITHUB_BASE_URL":       gh.URL,
		"ASSAY_STRIPE_SECRET_KEY":     stripe.SecretKey,
		"ASSAY_STRIPE_WEBHOOK_SECRET": stripe.WebhookSecret,
		"ASSAY_STRIPE_API_BASE":       stripe.URL,
	})
	if err != nil {
		return fmt.Errorf("print the settings: %w", err)
	}
	if _, err := io.Copy(io.Discard, in); err != nil {
		return fmt.Errorf("wait for the end of standard input: %w", err)
	}
	return nil
}
