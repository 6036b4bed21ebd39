package testreport

import (
	"testing"
	"time"
)

func TestTAPPoints(t *testing.T) {
	for line, want := range map[string]Result{
		"ok":                                   {Status: Passed},
		"ok 1":                                 {Status: Passed},
		"not ok 2":                             {Status: Failed},
		"ok 1 -":                               {Status: Passed},
		"ok 1 - a - b":                         {ID: "a - b", Status: Passed},
		"ok 1 a":                               {ID: "a", Status: Passed},
		"ok - a":                               {ID: "a", Status: Passed},
		"ok 1 -a":                              {ID: "-a", Status: Passed},
		"ok 1 - a # SKIP no net":               {ID: "a", Status: Skipped, Message: "no net"},
		"ok 1 # skip no net":                   {Status: Skipped, Message: "no net"},
		"not ok 1 - a # TODO":                  {ID: "a", Status: Skipped},
		"ok 1 - a # todo x":                    {ID: "a", Status: Skipped, Message: "x"},
		"not ok 1 - a # skip":                  {ID: "a", Status: Skipped},
		"ok 1 - a # skipped: x":                {ID: "a", Status: Skipped, Message: "x"},
		`ok 1 - a \# SKIP`:                     {ID: "a # SKIP", Status: Passed},
		`ok 1 - a \\ b`:                        {ID: `a \ b`, Status: Passed},
		"ok 1 - a # b":                         {ID: "a # b", Status: Passed},
		"ok 1 - a # b # TODO c":                {ID: "a # b", Status: Skipped, Message: "c"},
		"ok 1 - a # time=5.5ms":                {ID: "a", Status: Passed, Duration: 5500 * time.Microsecond},
		"ok 1 - a # time=5ms {":                {ID: "a", Status: Passed, Duration: 5 * time.Millisecond},
		"not ok 1 - a # time=1ms # SKIP later": {ID: "a", Status: Skipped, Duration: time.Millisecond, Message: "later"},
		"ok 1 - a{":                            {ID: "a{", Status: Passed},
		"ok 1 - [x] {y}":                       {ID: "[x] {y}", Status: Passed},
	} {
		point, ok := parseTAPPoint(line)
		if got := point.result(); !ok || got != want {
			t.Errorf("%q: %v, %+v; want %+v", line, ok, got, want)
		}
	}
	for _, line := range []string{"okay", "OK 1", "not  ok 1", "ok1", "notok 1", "# ok 1"} {
		if _, ok := parseTAPPoint(line); ok {
			t.Errorf("%q is no test point", line)
		}
	}
}
