// Package controller is the Simulation controller: it has Simulations wait for their turn, sets their drivers up, says how far
// they are, and removes all that was made for them.
//
// A simulation goes through a list of steps (see [Setup] and plan), in order. Every step may be interrupted anywhere and is
// then run again: what it needs to know is in the cluster. What is final is written down before it is acted on:
//
//   - a turn, by a state that is neither empty nor Blocked;
//   - a hook, by its record in status.hooks, before it begins;
//   - the outcome, by the condition Failed, or Complete (which is False until all is cleaned up).
//
// The controller writes every field of the status but status.driver, which is the driver's.
//
// Package objects says what is made; package certificate makes what the driver's webhook serves with.
package controller
