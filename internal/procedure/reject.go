package procedure

// RejectCode says why a document cannot be accepted. The customer reads Reason and Hint, never the code.
type RejectCode string

const (
	RejectUnreadable  RejectCode = "unreadable"
	RejectCropped     RejectCode = "cropped"
	RejectExpired     RejectCode = "expired"
	RejectTooOld      RejectCode = "too_old"
	RejectFuture      RejectCode = "future_date"
	RejectWrongType   RejectCode = "wrong_type"
	RejectName        RejectCode = "name_mismatch"
	RejectAddress     RejectCode = "address_mismatch"
	RejectBirth       RejectCode = "dob_mismatch"
	RejectMissingSide RejectCode = "missing_side"
	RejectNoteDate    RejectCode = "selfie_date_wrong"
	RejectNote        RejectCode = "selfie_note_missing"
	RejectFace        RejectCode = "selfie_face_hidden"
	RejectScreenshot  RejectCode = "screenshot"
	RejectEdited      RejectCode = "edited_suspected"
	RejectEncrypted   RejectCode = "encrypted_file"
	RejectFormat      RejectCode = "unsupported_format"
	RejectTooLarge    RejectCode = "too_large"
	RejectEmpty       RejectCode = "empty_file"
	RejectVirus       RejectCode = "virus"
	RejectDuplicate   RejectCode = "duplicate"
	RejectNotAsked    RejectCode = "not_requested"
)

// RejectCodes lists every code in the order in which agents are shown them.
func RejectCodes() []RejectCode {
	return []RejectCode{RejectUnreadable, RejectCropped, RejectExpired, RejectTooOld, RejectFuture, RejectWrongType, RejectName,
		RejectAddress, RejectBirth, RejectMissingSide, RejectNoteDate, RejectNote, RejectFace, RejectScreenshot, RejectEdited,
		RejectEncrypted, RejectFormat, RejectTooLarge, RejectEmpty, RejectVirus, RejectDuplicate, RejectNotAsked}
}

// Reason is what the customer is told: the fact, without blame and without suspicion.
func (c RejectCode) Reason(lang string) string { return c.words().reason.In(lang) }

// Hint tells the customer how to send it right the next time.
func (c RejectCode) Hint(lang string) string { return c.words().hint.In(lang) }

type rejectWords struct{ reason, hint Text }

// words of a code. A document somebody may have edited gets the words of an unreadable one: a doubt about honesty is for
// people to settle and is never written to a customer.
func (c RejectCode) words() rejectWords {
	clear := Text{"请在光线充足处拍摄，四角完整，文字清晰。", "Take the picture in good light, with all four corners in view and every word readable."}
	match := Text{"请发送与注册资料一致的文件；如资料已变更，请告诉我们。", "Please send a document that agrees with your registration, or tell us what has changed."}
	switch c {
	case RejectCropped:
		return rejectWords{Text{"文件没有拍完整，缺少边角。", "Part of the document is outside the picture."}, clear}
	case RejectExpired:
		return rejectWords{Text{"证件在我们收到时已过有效期。", "The document was no longer valid on the day we received it."}, Text{"请发送仍在有效期内的证件。", "Please send a document that is still valid."}}
	case RejectTooOld:
		return rejectWords{Text{"文件的开具日期距今超过了规定期限。", "The document was issued too long ago."}, Text{"请发送最近三个月内开具的文件。", "Please send one issued within the last three months."}}
	case RejectFuture:
		return rejectWords{Text{"文件的开具日期晚于我们收到的日期。", "The issue date is later than the day we received the document."}, Text{"请核对日期后重新发送。", "Please check the date and send it again."}}
	case RejectWrongType:
		return rejectWords{Text{"这不是我们需要的文件类型。", "This is not the kind of document we need."}, Text{"请按照列表中的说明发送相应文件。", "Please send one of the documents named in the list."}}
	case RejectName:
		return rejectWords{Text{"文件上的姓名与注册资料不一致。", "The name on the document differs from the registered name."}, match}
	case RejectAddress:
		return rejectWords{Text{"文件上的地址与注册资料不一致。", "The address on the document differs from the registered address."}, match}
	case RejectBirth:
		return rejectWords{Text{"文件上的出生日期与注册资料不一致。", "The date of birth on the document differs from the registered one."}, match}
	case RejectMissingSide:
		return rejectWords{Text{"缺少证件的一面。", "One side of the document is missing."}, Text{"请同时发送证件的正面和反面。", "Please send both the front and the back."}}
	case RejectNoteDate:
		return rejectWords{Text{"字条上的日期不是拍摄当天。", "The date on the note is not the day the picture was taken."}, Text{"请写上当天日期，当天拍摄并发送。", "Please write today's date, and take and send the picture on the same day."}}
	case RejectNote:
		return rejectWords{Text{"照片中缺少手写字条，或字条内容不完整。", "The handwritten note is missing from the picture or is not complete."}, Text{"请在字条上写明平台名称、工单号和当天日期。", "Please write the platform's name, the ticket number and today's date on the note."}}
	case RejectFace:
		return rejectWords{Text{"照片中无法看清面部。", "Your face cannot be seen clearly in the picture."}, Text{"请不要遮挡面部，证件和字条同时入镜。", "Please leave your face uncovered, with the document and the note in the same picture."}}
	case RejectScreenshot:
		return rejectWords{Text{"我们不能接受截图或翻拍屏幕的图片。", "We cannot accept a screenshot or a picture of a screen."}, Text{"请拍摄原件，或发送原始 PDF 文件。", "Please photograph the original, or send the original PDF."}}
	case RejectEncrypted:
		return rejectWords{Text{"文件设有密码，我们无法打开。", "The file is protected by a password, so we cannot open it."}, Text{"请去除密码后重新发送。", "Please remove the password and send the file again."}}
	case RejectFormat:
		return rejectWords{Text{"我们不能接受这种文件格式。", "We cannot accept this file format."}, Text{"请发送 JPG、PNG、HEIC、WebP 图片或 PDF 文件。", "Please send a JPG, PNG, HEIC or WebP picture, or a PDF file."}}
	case RejectTooLarge:
		return rejectWords{Text{"文件过大或页数过多。", "The file is too large or has too many pages."}, Text{"请发送不超过 10 MB、不超过 10 页的文件。", "Please send a file of at most 10 MB and 10 pages."}}
	case RejectEmpty:
		return rejectWords{Text{"文件是空的。", "The file is empty."}, Text{"请重新添加附件并发送。", "Please attach the file again and send it."}}
	case RejectVirus:
		return rejectWords{Text{"出于安全原因，我们无法接受这个文件。", "For safety reasons we cannot accept this file."}, Text{"请用另一台设备重新拍摄并发送。", "Please take a new picture with another device and send that."}}
	case RejectDuplicate:
		return rejectWords{Text{"这个文件与之前未通过的文件相同。", "This is the same file as one we could not accept before."}, clear}
	case RejectNotAsked:
		return rejectWords{Text{"我们目前不需要这份文件。", "We do not need this document at present."}, Text{"请只发送列表中的文件。", "Please send only the documents in the list."}}
	}
	return rejectWords{Text{"文件无法辨认，我们不能接受。", "The document cannot be read, so we cannot accept it."}, clear}
}
