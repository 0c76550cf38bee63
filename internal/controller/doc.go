// Package controller is the Simulation controller. It makes Simulations wait for their turn, sets
// up their drivers, reports their progress, and removes everything that was created for them.
//
// A simulation goes through a list of steps in order; see plan. A step may be interrupted at any
// point and is then run again: all of its state is in the cluster. Decisions are recorded before
// they take effect:
//
// - a turn, by a state that is neither empty nor Blocked;
// - a hook, by its record in status.hooks, before it starts;
// - the outcome, by the condition Failed, or Complete (which is False until the clean-up is done).
//
// The controller writes every field of the status except status.driver, which belongs to the
// driver.
//
// Package objects defines what is created, package certificate makes the webhook's certificates,
// and package allowlist decides which images and files a simulation may use.
package controller
