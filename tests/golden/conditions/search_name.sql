-- search(name, "chat")
positionCaseInsensitiveUTF8(name, {p0:String}) > 0
-- p0 = chat
