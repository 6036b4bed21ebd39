package wire

import (
	"time"

	"assay"
)

// SessionCreate asks for a session.
type SessionCreate struct {
	Dataset    string  `json:"dataset" minLength:"1" maxLength:"255" pattern:"^[^\\x00]*$" patternDescription:"free of NUL characters" example:"starter" doc:"Name of the dataset"`
	SampleID   string  `json:"sample_id" minLength:"1" maxLength:"255" pattern:"^[^\\x00]*$" patternDescription:"free of NUL characters" example:"gorilla__mux-578" doc:"Sample of the dataset; its latest version is taken"`
	TTLMinutes Integer `json:"ttl_minutes,omitempty" nullable:"true" minimum:"1" default:"30" doc:"Lifetime in minutes"`
}

// SessionCreated is the answer to SessionCreate. The sandbox may not be ready yet: GET
// the session.
type SessionCreated struct {
	SessionID string              `json:"session_id" example:"ses_0dfm6k3b2tvc1r8h5n7pqa4e9s"`
	Status    assay.SessionStatus `json:"status" enum:"creating,ready,error,closed,terminated"`
	ExpiresAt time.Time           `json:"expires_at" doc:"When the session ends by itself"`
}

// Session is a sandbox made from a sample.
type Session struct {
	SessionID       string              `json:"session_id" example:"ses_0dfm6k3b2tvc1r8h5n7pqa4e9s"`
	UserID          string              `json:"user_id" example:"usr_0dfm6k3b2tvc1r8h5n7pqa4e9s"`
	Dataset         string              `json:"dataset" example:"starter"`
	SampleID        string              `json:"sample_id" example:"gorilla__mux-578"`
	SampleVersion   int                 `json:"sample_version" example:"1" doc:"Version of the sample; the session keeps it. Not in the Codeset API"`
	Status          assay.SessionStatus `json:"status" enum:"creating,ready,error,closed,terminated" doc:"closed: by its user. terminated: by the system, error says why. error: it could not be made"`
	RequestedAt     time.Time           `json:"requested_at"`
	CreatedAt       *time.Time          `json:"created_at" doc:"When it became ready; null before"`
	ExpiresAt       time.Time           `json:"expires_at" doc:"When it ends by itself"`
	DurationSeconds *float64            `json:"duration_seconds" doc:"From ready to the end, or to now, less what its sandbox could not be reached"`
	StatusDetail    *string             `json:"status_detail" example:"unreachable" doc:"unreachable: its sandbox does not answer, though nothing proves that it is dead. It is tried again, and not billed meanwhile; commands wait for it. Null else. Not in the Codeset API"`
	ContainerInfo   *ContainerInfo      `json:"container_info" doc:"Its sandbox; null before there is one"`
	Error           *Failure            `json:"error" doc:"Why it ended otherwise than by its user; null else"`
	CostMicroUSD    int64               `json:"cost_microusd" doc:"What it cost, or has cost by now, in millionths of a US dollar. Not in the Codeset API"`
}

// ContainerInfo is the sandbox of a session.
type ContainerInfo struct {
	ContainerName string    `json:"container_name" doc:"Name of the sandbox: the session's id"`
	SampleID      string    `json:"sample_id"`
	Status        string    `json:"status" enum:"starting,running,stopped"`
	CreatedAt     time.Time `json:"created_at"`
	ExpiresAt     time.Time `json:"expires_at"`
	Location      string    `json:"location" doc:"Node or region where it runs"`
	ServiceURL    string    `json:"service_url" doc:"URL of the session in this API"`
}

// SessionList is a page of sessions, newest first.
type SessionList struct {
	Sessions   []Session `json:"sessions" nullable:"false"`
	TotalCount int       `json:"total_count" doc:"Sessions that match, on all pages"`
	HasMore    bool      `json:"has_more" doc:"Whether another page follows"`
	NextCursor *string   `json:"next_cursor" doc:"Give it as cursor for the next page; null on the last. Not in the Codeset API"`
}

// SessionClosed is the answer to the end of a session.
type SessionClosed struct {
	Message         string  `json:"message"`
	DurationSeconds float64 `json:"duration_seconds" doc:"From ready to the end"`
}
