package controller

import (
	"fmt"
	"time"
)

// The reasons of a simulation's failure that the controller finds by itself. Drivers have more. Each thing that is waited for
// has its own: how long is told by the reason.
const (
	reasonInvalid           = "InvalidSimulation"
	reasonForbidden         = "Forbidden"
	reasonHook              = "HookFailed"
	reasonHookCommand       = "HookCommandForbidden"
	reasonImageForbidden    = "DriverImageForbidden"
	reasonTraceForbidden    = "TracePathForbidden"
	reasonNamespace         = "NamespaceMissing"
	reasonAccount           = "ServiceAccountMissing"
	reasonSecret            = "SecretMissing"
	reasonClaim             = "ClaimMissing"
	reasonTrace             = "TraceNotFound"
	reasonCertificate       = "CertificateNotIssued"
	reasonPrometheusMissing = "PrometheusKindMissing"
	reasonAuthority         = "AuthorityNotInjected"
	reasonImage             = "DriverImage"
	reasonNoPod             = "DriverPodRefused"
	reasonVolume            = "VolumeNotMounted"
	reasonDriver            = "DriverFailed"
)

// The reasons of the condition Ready that are no failures.
const (
	reasonBlocked       = "Blocked"
	reasonInitializing  = "Initializing"
	reasonUnschedulable = "Unschedulable"
	reasonFormerDriver  = "FormerDriver"
	reasonReplaying     = "Replaying"
	reasonPaused        = "Paused"
	reasonRetrying      = "Retrying"
	reasonCleaningUp    = "CleaningUp"
	reasonStuck         = "CleanUpStuck"
	reasonFinished      = "Finished"
	reasonError         = "Error"
)

// How long is waited for what others may yet do.
const (
	missingGrace     = time.Minute     // manifests come in any order
	certificateGrace = 2 * time.Minute // an issuer has to ask somebody
	startGrace       = 2 * time.Minute // registries and mounts recover
)

// failure is returned by a step when the simulation has failed for good. The message says what to do.
type failure struct{ reason, message string }

func (f *failure) Error() string { return f.reason + ": " + f.message }

func fail(reason, format string, args ...any) error {
	return &failure{reason, fmt.Sprintf(format, args...)}
}

// waiting is returned by a step that is not done. It is run again when something changes, or after some time.
type waiting struct {
	after time.Duration
	// reason and message are for the condition Ready; with an empty reason it stays as it is.
	reason, message string
}

func (w *waiting) Error() string { return "waiting: " + w.message }

func waitFor(after time.Duration, reason, format string, args ...any) error {
	return &waiting{after, reason, fmt.Sprintf(format, args...)}
}
