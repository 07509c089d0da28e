"""Every key of the client, said once by the screens it belongs to: footer, help and palette read these lists."""
