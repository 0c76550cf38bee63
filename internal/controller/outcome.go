package controller

import (
	"fmt"
	"time"
)

// The reasons of failures that the controller detects; drivers have more. Each thing that the
// controller waits for has its own, because a grace period starts when the reason changes.
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

// The reasons of the condition Ready that are not failures.
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

// How long a simulation waits for something before it fails.
const (
	missingGrace     = time.Minute     // manifests are applied in any order
	certificateGrace = 2 * time.Minute // issuers call external services
	startGrace       = 2 * time.Minute // registries and mounts recover
)

// failure is returned by a step if the simulation has failed for good. The message says what to do.
type failure struct{ reason, message string }

func (f *failure) Error() string { return f.reason + ": " + f.message }

func fail(reason, format string, args ...any) error {
	return &failure{reason, fmt.Sprintf(format, args...)}
}

// waiting is returned by a step that is not done. It is run again when something changes or after a
// while.
type waiting struct {
	after time.Duration
	// reason and message are set on the condition Ready, unless the reason is empty.
	reason, message string
}

func (w *waiting) Error() string { return "waiting: " + w.message }

func waitFor(after time.Duration, reason, format string, args ...any) error {
	return &waiting{after, reason, fmt.Sprintf(format, args...)}
}
