package testkubelet

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"k8s.io/kubernetes/third_party/forked/golang/expansion"
)

// Reasons why a container cannot be started yet.
const (
	reasonImage  = "ErrImagePull"
	reasonConfig = "CreateContainerConfigError"
)

// command returns the program of a container, with the container's paths replaced by those of this
// machine. An error has its reason.
func (c *container) command(volumes map[string]string) (cmd *exec.Cmd, reason string, err error) {
	entrypoint, known := c.w.k.entrypoint(c.spec.Image)
	if !known {
		return nil, reasonImage, fmt.Errorf("there is no image %q on this node", c.spec.Image)
	}
	root := filepath.Join(c.w.dir, "containers", c.spec.Name)
	if err := os.MkdirAll(root, 0o700); err != nil {
		return nil, reasonConfig, err
	}
	paths, err := mountsOf(c.spec, volumes)
	if err != nil {
		return nil, reasonConfig, err
	}
	env, err := c.environment(c.w.live, paths)
	if err != nil {
		return nil, reasonConfig, err
	}
	mapping := expansion.MappingFuncFor(env)
	words := slices.Clone(entrypoint) // paths of this machine already
	if len(c.spec.Command) > 0 {
		words = nil
	}
	for _, word := range c.spec.Command {
		words = append(words, paths.rewrite(expansion.Expand(word, mapping)))
	}
	for _, arg := range c.spec.Args {
		words = append(words, paths.rewrite(expansion.Expand(arg, mapping)))
	}
	if len(words) == 0 {
		return nil, reasonConfig, fmt.Errorf("neither the container nor the image %q has a command", c.spec.Image)
	}
	// Without a context, which would kill it: it is stopped gracefully with the pod.
	cmd = exec.Command(words[0], words[1:]...)
	cmd.Dir = root
	if dir := paths.rewrite(c.spec.WorkingDir); dir != c.spec.WorkingDir {
		cmd.Dir = dir
	}
	base := map[string]string{"PATH": os.Getenv("PATH"), "HOME": root, "TMPDIR": root}
	if path := c.w.kubeconfig(); path != "" {
		base["KUBECONFIG"] = path
	}
	for name, value := range env {
		base[name] = value
	}
	for name, value := range base {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	return cmd, "", nil
}
