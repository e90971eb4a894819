// Package procedure leads a case from the first mail to its end: what is asked of the customer, who has to decide, when something
// is due, and what is done about the account. It is pure: Step takes a Case, an Event and the moment, and returns the new Case and
// Effects, which are data. It reads no clock, no file and no network, draws no random number, and sends nothing.
//
// # Files
//
// A procedure is a YAML file: items (the checklist), timers, states and moves. A move is `from`, `on`, `when`, `to` and `do`; the
// first that fits is taken. Fragments hold what several procedures share; `before` and `include` say whether their moves are tried
// before or after the procedure's own. Asides are done beside the move, within the same transition. A brand profile says which
// documents are needed at which risk, which periods run, what the brand's mails are told, and may lay items, timers, states and
// moves over a procedure. Jurisdictions name the calendar and the statutory periods.
//
// Load proves of every procedure under every profile, before the first mail, and names file and line otherwise:
//   - every state can be reached, and from every state an end;
//   - every state that waits has a timer that leads on without a condition, and no timer goes off unheard;
//   - every arrow into a refusal sends a mail;
//   - every arrow into a state that changes an account stands on a fresh look into it and carries the conditions identity,
//     items(all), two_people, no_hold, fresh and checks_pass; Step checks them once more by itself, whatever the file says;
//   - no condition about hidden matters stands on something a person asks for, because its refusal would tell;
//   - no fact about an account is mailed in a state that can be reached without an answered challenge;
//   - every name exists, every period can be read, no move is shadowed by an earlier one of its file.
//
// # Invariants
//
// They hold for every sequence of events and are tested by random play:
//   - the account is changed only with the identity the procedure asks for, every item settled, a recommendation and an approval by
//     two people on exactly this evidence, no hold, and checks that pass and are less than 24 hours old;
//   - a mail, a page or an answer alone changes no account;
//   - one transition, one Record effect;
//   - nobody approves their own recommendation, refusal or waiver, or what they edited last; any change of the evidence withdraws
//     recommendation and approval;
//   - after a refusal, an expiry or any other end nothing is executed without a new decision;
//   - an idempotency key belongs to one decision;
//   - mails, their variables and times, what agents see and what they are refused are the same with and without a hidden hold, up
//     to the point where compliance has to let the case pass. Every case waits at that point.
//
// A hold set while the customer already knows the day of closing cannot be without a trace: the day passes. The case then waits in
// final_checks, under the same progress notes as one whose account system does not answer.
//
// # Requirements
//
// Where each requirement taken from the published instructions for customers, and from the law, is met. "—" is a reason why not.
//
//	R1  unfinished preparation may be refused          closure.refused lists the reason and what to do; closure.blocked lists what failed
//	R2  zero balance in every currency                 item cl.balance_zero
//	R3  funds go to an own bank account or wallet      closure.blocked, wording of the blocker
//	R4  small balance below the withdrawal minimum     item cl.dust_waiver, closure.dust, withdrawal.guide
//	R5  no unfinished transaction                      item cl.no_pending
//	R6  disputes first                                 item cl.no_dispute
//	R7  customer saves statements                      item cl.backup_ack
//	R8  manual review, no one-click closure            states review, approval, clearance
//	R9  clear words and account id                     item cl.intent
//	R10 reason, optional; "security" branches          items cl.reason, cl.compromise
//	R11 strict identity check                          items cl.identity_doc, cl.address_doc, cl.selfie, cl.doc_match
//	R12 declares zero balance and no debts             items cl.zero_declared, cl.no_debt; closure.declare_zero
//	R13 risk and compliance review                     items cl.compromise, cl.sanctions_aml; state clearance
//	R14 days to weeks                                  clock closure; closure.under_review says a range only when configured; closure.progress
//	R15 mail and phone stay reachable                  item cl.contact_ok; event bounced
//	R16 do not use the account meanwhile               state suspended_activity; closure.activity
//	R17 formal confirmation                            closure.final
//	R18 linked services and login end                  closure.final (closed_services)
//	R19 history is gone for the customer               closure.guide, closure.final
//	R20 return means registering anew                  closure.final; state closed is the end of the account
//	R21 third parties lose their payment source        items cl.linked_off, cl.linked_stated; closure.final
//	R22 obstacles: official support                    every mail is answered in its ticket
//	R23 phishing warning                               closure.final, security.phishing_advice (official domains)
//	R24 customers leave for another provider           item cl.reason is counted; — no mail tries to keep anybody
//	R25 "can neither close nor disable"                procedure closure_blocked
//	R26 strictness protects                            items cl.doc_match, cl.compromise, cl.sanctions_aml
//	R27 cooling-off after trade or withdrawal          item cl.cooling; closure.cooling_off
//	R28 records are kept for a time                    closure.final (retention), privacy.erasure_refused
//	R29 the blocking reason is found and said          state diagnose; closure.blocked
//	R30 grants are released at the exchange first      item cl.linked_off; wording of the blocker
//	R31 people for stuck accounts                      states review, silent; event advance
//	R32 registered mail, phone, account id             look-up of the account (event check); items cl.intent, cl.contact_ok
//	R33 pressure for a fast track                      closure.no_fast_track; no move skips a check
//	R34 third parties unbound                          items cl.linked_off, cl.linked_stated
//	R35 refused closure: deactivation                  soft.offer; procedure soft_deactivation
//	R36 customer weakens the account himself           — never advised: it conflicts with R62 and R15; the platform deactivates
//	R37 dormant                                        state dormant; soft.confirm
//	R38 closing agents                                 security.agency_warning
//	R39 causes of a lock                               findings wrong_password, risk, review in procedure locked
//	R40 read the notice first                          locked.guide
//	R41 registered contact and second proof            items lk.registered_contact, lk.second_factor; — security answers are never taken by mail
//	R42 support with identity and description          items lk.identity_doc, lk.selfie
//	R43 change password, second factor                 items lk.password_changed, lk.2fa; locked.unlocked
//	R44 causes of a failed payment                     findings balance, network, merchant, limits; payment.cause
//	R45 check balance, other means                     payment.guide, payment.cause
//	R46 check the network                              payment.guide, payment.cause
//	R47 ask the merchant                               payment.guide, payment.cause
//	R48 retry, then support                            state escalated after two causes
//	R49 minimum and limits                             withdrawal.guide; findings below_min, limit
//	R50 exact payee                                    withdrawal.payee_change_refused; finding payee_mismatch
//	R51 processing time, result by mail                withdrawal.status, withdrawal.paid, withdrawal.returned
//	R52 watch the status                               state informed; withdrawal.status
//	R53 restricted account                             procedure restriction; restriction.guide
//	R54 notice names the reason                        item rs.notice; state notice_lookup
//	R55 identity as the notice says                    items rs.identity_doc, rs.address_doc, rs.selfie, rs.funds_doc
//	R56 application                                    item rs.application; restriction.application
//	R57 wait, ask now and then                         neutral.under_review, at most once in 3 business days
//	R58 what to have ready                             payment.info_request, withdrawal.info_request; a balance is never told back
//	R59 round the clock                                — promised nowhere; ack.received says hours only when configured
//	R60 duplicates                                     event merge; ack.duplicate
//	R61 every mail carries the ticket number           variable ticket_no of every Send
//	R62 second factor                                  item lk.2fa; — never advised to switch it off
//	R63 strong password                                locked.unlocked, security.phishing_advice
//	R64 unknown transaction is urgent                  procedure security; security.unauthorised_tx; clock transaction
//	R65 phishing                                       security.phishing_report, security.phishing_advice
//	R66 balance out before closing                     item cl.balance_zero blocks; — nothing is forfeited; closure.final (late_redemption)
//	R67 linked services off first                      item cl.linked_off; profile tenpay, closure.self_service (linked_services)
//	R68 history, coupons, points                       items cl.backup_ack, cl.benefits_ack
//	R69 path in the app                                closure.self_service (paths)
//	R70 path on the website                            closure.self_service (paths)
//	R71 consent to the terms                           item cl.terms records version and hash; closure.consent
//	R72 payment password                               item cl.pay_password, reported by the platform only
//	R73 code by text message                           item cl.sms_code, reported by the platform only
//	R74 check that it is closed                        state verifying reads the status; closure.final warns of the activate button
//	R75 no payments afterwards                         closure.final
//	R76 return with a new registration                 closure.final; profile tenpay, closure.guide (consequences)
package procedure
