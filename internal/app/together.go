package app

import (
	"errors"
	"fmt"
	"net"
)

// ownPIDs is how many processes and threads a sandbox takes beside its commands: the guest
// agent's threads, and what a shell starts for a moment.
const ownPIDs = 32

// validateTogether holds settings against each other that are right by themselves.
func (c Config) validateTogether() error {
	var errs []error
	if least := int64(c.MaxCommandsPerSession) + ownPIDs; c.Resources.PIDs < least {
		errs = append(errs, fmt.Errorf("resources.pids: %d is too few for the %d commands of max_commands_per_session, which need %d with the guest agent; raise the one, or lower the other",
			c.Resources.PIDs, c.MaxCommandsPerSession, least))
	}
	if _, port, err := net.SplitHostPort(c.Listen); err == nil && c.MetricsListen == c.Listen && port != "0" {
		errs = append(errs, fmt.Errorf("metrics_listen: %s is the address of listen; give the metrics one of their own", c.MetricsListen))
	}
	return errors.Join(errs...)
}
