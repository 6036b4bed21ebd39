package verification

// AwaitFreed returns when the clean sandboxes of what was judged are gone.
func (s *Service) AwaitFreed() { s.evaluator.Close() }
