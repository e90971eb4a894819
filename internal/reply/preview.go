package reply

import "fmt"

// Sample returns data with which the template can be rendered, every optional variable included, for a preview.
func (s *Set) Sample(key, lang string) (map[string]any, error) {
	src, err := s.source(key, lang)
	if err != nil {
		return nil, err
	}
	return sample(src.all, src.lang, true), nil
}

func sample(vars []Variable, lang string, optional bool) map[string]any {
	out := map[string]any{}
	for _, v := range vars {
		if v.Optional && !optional {
			continue
		}
		out[v.Name] = v.sample[lang]
	}
	return out
}

// Preview renders the template with its sample data, in the name of the brand of the set where it has one.
func (s *Set) Preview(key, lang string) (Rendered, error) {
	data, err := s.Sample(key, lang)
	if err != nil {
		return Rendered{}, fmt.Errorf("preview: %w", err)
	}
	if s.brand.Name != "" {
		for _, v := range Common() {
			if _, ofBrand := s.brand.data("")[v.Name]; ofBrand {
				delete(data, v.Name)
			}
		}
	}
	return s.Render(key, lang, data)
}
