// Package chart tests charts/simkube with Helm's own engine: that it makes the same objects as the kustomize overlays of
// config/sim, that its schema refuses what cannot be meant, and that its README has every value. It is a module of its own, so that
// nothing else of SimKube depends on Helm.
package chart
