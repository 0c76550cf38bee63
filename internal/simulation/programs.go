package simulation

import "context"

// startPrograms starts the programs that run beside the replay.
func (s *session) startPrograms(ctx context.Context) error {
	if s.Options.Programs == nil {
		return nil
	}
	err := s.Options.Programs.Start(ctx, s.Report)
	if err != nil {
		s.stopPrograms()
	}
	return err
}

// stopPrograms ends them. What they do from now on is not part of the results.
func (s *session) stopPrograms() {
	if s.Options.Programs != nil {
		s.files = s.Options.Programs.Stop()
	}
}
