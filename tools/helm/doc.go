// Package chart tests charts/simkube with Helm's own engine: it results in the same objects as the
// kustomize overlays of config/sim, its schema rejects invalid values, and its README lists every
// value. It is a module of its own, so that nothing else in SimKube depends on Helm.
package chart
