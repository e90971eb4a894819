package rules

import (
	"cmp"
	"slices"
	"strconv"

	"postdesk/internal/lang"
	"postdesk/internal/ticket"
)

func newScratch(set *Set) *scratch {
	n := len(set.lex.concepts)
	return &scratch{
		set: set, head: make([]int32, n), tail: make([]int32, n), stamp: make([]uint32, n), pending: make([]pendingPiece, len(set.lex.gapped)),
		fired: make([]bool, len(set.rules)), firedHit: make([]hit, len(set.rules)), firedRank: make([]float64, len(set.rules)),
		hintTurn: make([]uint32, n), hintBits: make([]uint8, n),
	}
}

// Classify decides on one mail. It is pure: the same facts and the same rule set give the same decision.
func (s *Set) Classify(f Facts) Decision {
	w := s.pool.Get().(*scratch)
	defer s.pool.Put(w)
	w.begin()
	subject, reply, forward := cutPrefixes(f.Subject)
	inherited := f.InheritedSubject || reply || forward
	w.add(FieldSubject, subject, f.Subject)
	w.add(FieldBody, f.Body, f.Body)
	for i, a := range f.Attachments {
		w.add(fieldAttachment+strconv.Itoa(i), a.Filename, a.Filename)
	}
	d := Decision{Language: languageOf(subject, f.Body), Version: s.version}
	w.scan(tonguesFor(d.Language, len(f.Body)))
	w.applyRules(&f, d.Language, inherited)
	w.takeHints(inherited)
	w.decide(&d, inherited)
	w.extract(&d)
	w.provided(&d)
	return d
}

const fieldAttachment = "attachment:"

// languageOf goes by the body; a subject helps where the body says little.
func languageOf(subject, body string) string {
	if tag := lang.Detect(body); tag != "und" {
		return tag
	}
	return lang.Detect(subject)
}

func (s *scratch) begin() {
	s.reading.reset()
	s.turn++
	for _, r := range s.firedList {
		s.fired[r] = false
	}
	s.firedList = s.firedList[:0]
}

// applyRules tries the rules whose concepts occur, sentence by sentence, then the rules over the whole mail.
func (s *scratch) applyRules(f *Facts, language string, inherited bool) {
	var vars map[string]any
	holds := func(r *rule) bool {
		if r.cond == nil {
			return true
		}
		if vars == nil {
			vars = s.variables(f, language, inherited)
		}
		return r.cond.holds(vars)
	}
	for i := range s.occ {
		for _, id := range s.set.byTrig[s.occ[i].concept] {
			s.try(id, s.occ[i].sentence, inherited, holds)
		}
	}
	for _, id := range s.set.mail {
		s.try(id, -1, inherited, holds)
	}
}

func (s *scratch) try(id, sentence int32, inherited bool, holds func(*rule) bool) {
	r := &s.set.rules[id]
	if r.match == nil {
		if holds(r) {
			s.fire(id, hit{}, 1)
		}
		return
	}
	var room [maxHits * 2]hit
	for _, h := range s.eval(r.match, sentence, room[:0]) {
		m := s.moodOf(h)
		if m&r.notIn != 0 || r.onlyIn != 0 && m&r.onlyIn == 0 {
			continue
		}
		rank := s.rank(h, inherited && !r.inherited)
		if s.fired[id] && s.firedRank[id] >= rank {
			continue
		}
		if holds(r) {
			s.fire(id, h, rank)
		}
	}
}

// moodOf joins the moods of the sentence parts that a match lies in.
func (s *scratch) moodOf(h hit) mood {
	var m mood
	for _, e := range h.ev[:h.n] {
		m |= s.parts[s.occ[e].part]
	}
	return m
}

// rank is the weight of the place where a match stands; a match counts as standing where its weakest word does.
func (s *scratch) rank(h hit, inherited bool) float64 {
	if !inherited {
		return 1
	}
	for _, e := range h.ev[:h.n] {
		if s.occ[e].field == inSubject {
			return s.set.settings.InheritedSubject
		}
	}
	return 1
}

func (s *scratch) fire(id int32, h hit, rank float64) {
	if !s.fired[id] {
		s.firedList = append(s.firedList, id)
	}
	s.fired[id], s.firedHit[id], s.firedRank[id] = true, h, rank
}

// decide weighs what held: category, confidence, further topics, flags and actions.
func (s *scratch) decide(d *Decision, inherited bool) {
	slices.Sort(s.firedList)
	scores := s.scores(inherited)
	best, second := rankScores(scores)
	d.Category = ticket.Categories()[best]
	d.Confidence = s.set.confidence(scores[best] - scores[second])
	d.Scores = make(map[ticket.Category]float64, categories)
	for i, c := range ticket.Categories() {
		if scores[i] != 0 {
			d.Scores[c] = scores[i]
		}
	}
	s.secondary(d, scores, best)
	s.report(d)
}

// scores adds up, for each category, its rules: the strongest in full, each further one for less, since many words for
// one thing are still one thing. Counter-evidence counts in full.
func (s *scratch) scores(inherited bool) [categories]float64 {
	set := &s.set.settings
	bodySpeaks := false
	for _, id := range s.firedList {
		bodySpeaks = bodySpeaks || s.set.rules[id].scoring && s.firedRank[id] == 1 && s.positive(id)
	}
	var scores [categories]float64
	for i, c := range ticket.Categories() {
		var weights []float64
		total := set.Prior[string(c)]
		for _, id := range s.firedList {
			v := s.set.rules[id].score[i]
			if v < 0 {
				total += v
			} else if v > 0 {
				rank := s.firedRank[id]
				if inherited && rank < 1 && !bodySpeaks {
					rank = set.SubjectAlone
				}
				weights = append(weights, v*rank)
			}
		}
		slices.SortFunc(weights, func(a, b float64) int { return cmp.Compare(b, a) })
		strongest := 0.0 // one rule may outweigh everything else, many may not
		if len(weights) > 0 {
			strongest = weights[0]
		}
		share := 1.0
		for _, v := range weights {
			total += v * share
			share *= set.Repeat
		}
		scores[i] = min(max(total, set.Floor), max(set.Ceiling, strongest)) + s.hinted[i]
	}
	return scores
}

// takeHints adds up what the concepts that occur speak for by their mere mention: each once, not in an inherited subject,
// not in what is over.
func (s *scratch) takeHints(inherited bool) {
	s.hinted = [categories]float64{}
	for i := range s.occ {
		o := &s.occ[i]
		if int(o.concept) >= len(s.set.hints) || !s.set.hints[o.concept].set || inherited && o.field == inSubject || o.field == inFile {
			continue
		}
		if s.set.lex.concepts[o.concept].role == rolePlain && s.parts[o.part]&moodSolved != 0 || s.hintTaken(i) {
			continue
		}
		h := &s.set.hints[o.concept]
		weights := &h.affirmed
		if o.negated {
			weights = &h.negated
		}
		for c, v := range weights {
			s.hinted[c] += v
		}
	}
}

// hintTaken reports whether an earlier occurrence of the same concept has already given its hint.
func (s *scratch) hintTaken(i int) bool {
	o := &s.occ[i]
	bit := uint8(1)
	if o.negated {
		bit = 2
	}
	if s.hintTurn[o.concept] != s.turn {
		s.hintTurn[o.concept], s.hintBits[o.concept] = s.turn, 0
	}
	taken := s.hintBits[o.concept]&bit != 0
	s.hintBits[o.concept] |= bit
	return taken
}

func (s *scratch) positive(id int32) bool {
	for _, v := range s.set.rules[id].score {
		if v >= 2 {
			return true
		}
	}
	return false
}

func rankScores(scores [categories]float64) (best, second int) {
	for i := range scores {
		if scores[i] > scores[best] {
			best = i
		}
	}
	second = (best + 1) % categories
	for i := range scores {
		if i != best && scores[i] > scores[second] {
			second = i
		}
	}
	return best, second
}

func (s *scratch) secondary(d *Decision, scores [categories]float64, best int) {
	if ticket.Categories()[best] == ticket.Other {
		return
	}
	var mask categoryMask
	for _, id := range s.firedList {
		mask |= s.set.rules[id].secondary
	}
	for i, c := range ticket.Categories() {
		if i == best || c == ticket.Other {
			continue
		}
		own := scores[i] >= s.set.settings.Secondary && scores[i] >= scores[best]*s.set.settings.SecondaryShare
		if own || mask&(1<<i) != 0 {
			d.Secondary = append(d.Secondary, c)
		}
	}
}

// report writes down which rules held and what they ask for.
func (s *scratch) report(d *Decision) {
	for _, id := range s.firedList {
		r := &s.set.rules[id]
		d.fired = append(d.fired, r.id)
		spans := s.evidence(s.firedHit[id])
		if r.flag != "" {
			d.Flags = append(d.Flags, Flag{r.flag, r.id, spans})
		}
		if r.flag != "" || r.scoring || r.secondary != 0 {
			d.Matched = append(d.Matched, Match{r.id, spans, s.contribution(id)})
		}
		d.Actions.join(r.actions)
	}
}

func (s *scratch) contribution(id int32) map[ticket.Category]float64 {
	r := &s.set.rules[id]
	if !r.scoring {
		return nil
	}
	score := make(map[ticket.Category]float64, 2)
	for i, c := range ticket.Categories() {
		if v := r.score[i]; v != 0 {
			score[c] = v * s.firedRank[id]
		}
	}
	return score
}

func (s *scratch) evidence(h hit) []Span {
	spans := make([]Span, 0, h.n)
	for _, e := range h.ev[:h.n] {
		o := &s.occ[e]
		span := s.span(o.start, o.end)
		if !slices.Contains(spans, span) {
			spans = append(spans, span)
		}
	}
	return spans
}

var priorities = []string{"", "low", "normal", "high", "urgent"}

// join adds what another rule asks for; the higher priority wins, else the rule that comes first.
func (a *Actions) join(b Actions) {
	if slices.Index(priorities, b.Priority) > slices.Index(priorities, a.Priority) {
		a.Priority = b.Priority
	}
	a.Queue, a.Template = cmp.Or(a.Queue, b.Queue), cmp.Or(a.Template, b.Template)
	a.Hold = a.Hold || b.Hold
	for _, t := range b.Tags {
		if !slices.Contains(a.Tags, t) {
			a.Tags = append(a.Tags, t)
		}
	}
	for _, r := range b.Request {
		if !slices.Contains(a.Request, r) {
			a.Request = append(a.Request, r)
		}
	}
}

// confidence reads the calibration curve, with straight lines between its points.
func (s *Set) confidence(margin float64) float64 {
	c := s.curve
	if len(c) == 0 {
		return min(0.99, 0.5+margin/20)
	}
	i, _ := slices.BinarySearchFunc(c, margin, func(p calibrationPoint, m float64) int { return cmp.Compare(p.Margin, m) })
	switch {
	case i == 0:
		return c[0].Confidence
	case i == len(c):
		return c[len(c)-1].Confidence
	}
	a, b := c[i-1], c[i]
	return a.Confidence + (b.Confidence-a.Confidence)*(margin-a.Margin)/(b.Margin-a.Margin)
}
