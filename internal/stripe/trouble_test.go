package stripe_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"assay/internal/billing"
	"assay/internal/stripe"
	"assay/internal/stripe/stripetest"
)

func TestWhatALostAnswerMadeIsFound(t *testing.T) {
	t.Parallel()
	fake, client := startFake(t)
	fake.LoseAnswers(1)
	customer, err := client.CreateCustomer(t.Context(), ada)
	if err != nil {
		t.Fatal(err)
	}
	again, err := client.CreateCustomer(t.Context(), ada)
	if err != nil || again != customer {
		t.Errorf("a second customer %q beside %q, %v", again, customer, err)
	}
	if all := fake.Customers(ada.ID); len(all) != 1 {
		t.Errorf("the account has the customers %v", all)
	}

	fake.LoseAnswers(1)
	req := request(customer)
	checkout, err := client.CreateCheckout(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := client.CreateCheckout(t.Context(), req); err != nil || again != checkout {
		t.Errorf("a second page %+v beside %+v, %v", again, checkout, err)
	}
	req.AmountCents++
	if _, err := client.CreateCheckout(t.Context(), req); err == nil || !strings.Contains(err.Error(), "idempotency_error") {
		t.Errorf("another amount for the same deposit: %v", err)
	}
}

func TestCustomerCanBeMadeAfterTheUserChanged(t *testing.T) {
	_, client := startFake(t)
	if _, err := client.CreateCustomer(t.Context(), ada); err != nil {
		t.Fatal(err)
	}
	moved := *ada
	moved.Email = "ada@example.net"
	if _, err := client.CreateCustomer(t.Context(), &moved); err != nil {
		t.Error(err)
	}
}

func TestUnknownCheckoutIsTold(t *testing.T) {
	_, client := startFake(t)
	for _, id := range []string{"cs_test_none", "", "../customers", "a/b?c"} {
		if _, err := client.Checkout(t.Context(), id); !errors.Is(err, billing.ErrNoCheckout) {
			t.Errorf("%q: %v", id, err)
		}
	}
}

func TestTroubleAtStripeIsAnErrorInTime(t *testing.T) {
	for name, trouble := range map[string]func(*stripetest.Server){
		"down": func(fake *stripetest.Server) { fake.Down(true) },
		"cut":  func(fake *stripetest.Server) { fake.Cut(true) },
		"slow": func(fake *stripetest.Server) { fake.Slow(time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := stripetest.New(stripetest.Config{})
			t.Cleanup(fake.Close)
			client := newClient(t, stripe.Config{
				SecretKey: fake.SecretKey, WebhookSecret: fake.WebhookSecret, APIBase: fake.URL,
				HTTPClient: &http.Client{Timeout: 200 * time.Millisecond},
			})
			trouble(fake)
			_, err := client.Checkout(t.Context(), "cs_test_1")
			if err == nil || errors.Is(err, billing.ErrNoCheckout) {
				t.Errorf("got %v", err)
			}
			if n := fake.Requests(); n != 3 {
				t.Errorf("%d requests, want one and two more tries", n)
			}
		})
	}
}

func TestCallEndsWithItsContext(t *testing.T) {
	fake, client := startFake(t)
	fake.Slow(time.Hour)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := client.CreateCustomer(ctx, ada); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if n := fake.Requests(); n != 1 {
		t.Errorf("%d requests", n)
	}
}

func TestWrongKeyIsRefused(t *testing.T) {
	fake, _ := startFake(t)
	client := newClient(t, stripe.Config{SecretKey: "sk_test_wrong", WebhookSecret: "whsec_1", APIBase: fake.URL})
	if _, err := client.CreateCustomer(t.Context(), ada); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("got %v", err)
	}
}

// TestSecretsStayOutOfErrorsAndLogs lets a server throw everything back that it got.
func TestSecretsStayOutOfErrorsAndLogs(t *testing.T) {
	const key, hook = "sk_test_verysecret", "whsec_verysecret"
	for name, answer := range map[string]string{
		"Stripe's error": `{"error":{"type":"invalid_request_error","message":"Bearer ` + key + `\nand ` + hook + `","param":"` + key + `"}}`,
		"another error":  `Bearer ` + key + ` ` + hook,
		"no error":       `{"error":null,"key":"` + key + `"}`,
	} {
		for _, status := range []int{http.StatusOK, http.StatusUnauthorized} {
			t.Run(fmt.Sprintf("%s %d", name, status), func(t *testing.T) {
				t.Parallel()
				srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Request-Id", key)
					w.WriteHeader(status)
					_, _ = io.WriteString(w, answer)
				}))
				t.Cleanup(srv.Close)
				var log bytes.Buffer
				client := newClient(t, stripe.Config{
					SecretKey: key, WebhookSecret: hook, APIBase: srv.URL,
					Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
				})
				_, customer := client.CreateCustomer(t.Context(), ada)
				_, checkout := client.CreateCheckout(t.Context(), request("cus_1"))
				_, ask := client.Checkout(t.Context(), "cs_1")
				for _, err := range []error{customer, checkout, ask} {
					if err == nil {
						t.Error("no error")
					}
					for ; err != nil; err = errors.Unwrap(err) {
						if strings.Contains(err.Error(), "verysecret") || strings.Contains(err.Error(), "\n") {
							t.Errorf("the error is %q", err)
						}
					}
				}
				if strings.Contains(log.String(), "verysecret") {
					t.Errorf("the log is %q", log.String())
				}
			})
		}
	}
}

// TestManyPayAtOnce is for the race detector, and for the fake's sums.
func TestManyPayAtOnce(t *testing.T) {
	fake, client := startFake(t)
	customer, err := client.CreateCustomer(t.Context(), ada)
	must(t, err)
	var group sync.WaitGroup
	for i := range 100 {
		group.Go(func() {
			req := request(customer)
			req.DepositID = fmt.Sprint("deposit-", i/2) // each asked for twice
			checkout, err := client.CreateCheckout(t.Context(), req)
			if err != nil {
				t.Error(err)
				return
			}
			if payment, err := fake.Pay(checkout.ID); err == nil { // the other one may have
				if err := fake.Refund(payment, 100); err != nil {
					t.Error(err)
				}
			}
			fake.Events()
			if found, err := client.Checkout(t.Context(), checkout.ID); err != nil || found.Status != billing.CheckoutPaid {
				t.Errorf("%+v, %v", found, err)
			}
		})
	}
	group.Wait()
	payments := fake.Payments()
	if len(payments) != 50 {
		t.Errorf("%d payments", len(payments))
	}
	for _, payment := range payments {
		if payment.AmountCents != 2500 || payment.RefundedCents != 100 {
			t.Errorf("%+v", payment)
		}
	}
}
