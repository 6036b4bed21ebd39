package testreport

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// The reward of a Harbor task: /logs/verifier/reward.txt holds a number, or
// reward.json an object with the number in "reward" and other numbers beside it.

// maxReward is the length of a number alone, in bytes. Longer ones are not written.
const maxReward = 256

var rewardNumber = regexp.MustCompile(`^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$`)

func readReward(r io.Reader, limits Limits, report *Report) error {
	in := bufio.NewReader(r)
	start, err := in.Peek(maxReward + 1)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("at byte %d: %w", len(start), err)
	}
	text := strings.TrimSpace(string(start))
	if strings.HasPrefix(text, "{") {
		text, err = rewardJSON(in, limits)
		if err != nil {
			return err
		}
	}
	switch {
	case len(start) > maxReward && in.Buffered() > maxReward: // it was no JSON
		return fmt.Errorf("at byte %d: %w: a number is expected", maxReward, ErrTooLarge)
	case text == "":
		return fmt.Errorf("at byte 0: %w: it is empty", ErrTruncated)
	}
	reward, err := strconv.ParseFloat(text, 64)
	if err != nil || !rewardNumber.MatchString(text) {
		return fmt.Errorf("at byte 0: %q is no number", clip(text, 100))
	}
	solved := reward >= 1
	report.Reward, report.Solved = &reward, &solved
	report.Reason = "the reward is " + strconv.FormatFloat(reward, 'g', -1, 64)
	report.Complete = true
	return nil
}

func rewardJSON(r io.Reader, limits Limits) (string, error) {
	var reward json.Number
	err := readJSON(r, limits, func(j *jsonReader) error {
		err := j.object(jsonFields{"reward": scalar(j, &reward)}, func(string) error {
			var beside json.Number
			return scalar(j, &beside)()
		})
		if err == nil && reward == "" {
			return errors.New(`"reward" is missing`)
		}
		return err
	})
	return reward.String(), err
}
